#pragma once

#include "autograd/var.h"
#include "kernels/conv2d/conv2d.h"

namespace imago::ops {

// The derivative of <y, conv2d(x, w)> with respect to w, (K, kernel_h, kernel_w, C / groups), from
// x (N, H, W, C) and y (N, P, Q, K), in their dtype.
// Its gradients are conv2d_input_grad and conv2d.
Var conv2d_weight_grad(const Var& x, const Var& y, std::int64_t kernel_h, std::int64_t kernel_w,
                       const Conv2dParams& params);

}  // namespace imago::ops
