#pragma once

#include "autograd/var.h"
#include "kernels/pool/pool.h"

namespace imago::ops {

// What x (N, H, W, C) holds where each window has its maximum according to `taps` (N, P, Q, C), a
// constant. Linear in x; its gradient is max_pool2d_grad.
Var max_pool2d_pick(const Var& x, const Var& taps, const Pool2dParams& params);

}  // namespace imago::ops
