#pragma once

#include "autograd/var.h"
#include "kernels/pool/pool.h"

namespace imago::ops {

// The largest pixel of each window of x (N, H, W, C): (N, P, Q, C). kernels/pool/pool.h defines
// windows, ties and NaN. Its gradient is max_pool2d_grad.
Var max_pool2d(const Var& x, const Pool2dParams& params);

}  // namespace imago::ops
