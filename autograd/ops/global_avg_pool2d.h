#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The mean of each channel of x (N, H, W, C) over the whole image: (N, 1, 1, C).
Var global_avg_pool2d(const Var& x);

}  // namespace imago::ops
