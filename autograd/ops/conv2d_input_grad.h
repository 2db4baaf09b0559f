#pragma once

#include "autograd/var.h"
#include "kernels/conv2d/conv2d.h"

namespace imago::ops {

// The transposed convolution of y (N, P, Q, K) with w (K, R, S, C / groups): (N, height, width, C).
// Its gradients are conv2d and conv2d_weight_grad.
Var conv2d_input_grad(const Var& y, const Var& w, std::int64_t height, std::int64_t width,
                      const Conv2dParams& params);

}  // namespace imago::ops
