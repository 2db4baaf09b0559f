#pragma once

#include "autograd/var.h"
#include "kernels/pool/pool.h"

namespace imago::ops {

// The mean of each window of x (N, H, W, C): (N, P, Q, C); kernels/pool/pool.h says over how many
// pixels. Its gradient is avg_pool2d_grad.
Var avg_pool2d(const Var& x, const Pool2dParams& params);

}  // namespace imago::ops
