#pragma once

#include "autograd/var.h"
#include "kernels/pool/pool.h"

namespace imago::ops {

// The adjoint of avg_pool2d: from dy (N, P, Q, C) to (N, height, width, C). Its gradient is
// avg_pool2d.
Var avg_pool2d_grad(const Var& dy, std::int64_t height, std::int64_t width,
                    const Pool2dParams& params);

}  // namespace imago::ops
