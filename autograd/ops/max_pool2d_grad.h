#pragma once

#include "autograd/var.h"
#include "kernels/pool/pool.h"

namespace imago::ops {

// Each pixel of the result (N, height, width, C) is the sum of the dy (N, P, Q, C) of the windows
// whose maximum it is; `taps` (N, P, Q, C), a constant, says where those are (kernels/pool/pool.h).
// Linear in dy; its gradient is max_pool2d_pick.
Var max_pool2d_grad(const Var& dy, const Var& taps, std::int64_t height, std::int64_t width,
                    const Pool2dParams& params);

}  // namespace imago::ops
