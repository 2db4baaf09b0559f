#pragma once

#include "autograd/var.h"
#include "kernels/padding.h"

namespace imago::ops {

// x (N, H, W, C) with `pad` pixels of `value` around it:
// (N, top + H + bottom, left + W + right, C). Its gradient is crop.
Var pad(const Var& x, const Padding& pad, double value = 0);

}  // namespace imago::ops
