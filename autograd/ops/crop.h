#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Rows [top, top + height) and columns [left, left + width) of x (N, H, W, C):
// (N, height, width, C). Its gradient is pad.
Var crop(const Var& x, std::int64_t top, std::int64_t left, std::int64_t height,
         std::int64_t width);

}  // namespace imago::ops
