#pragma once

#include "autograd/var.h"
#include "kernels/conv2d/conv2d.h"

namespace imago::ops {

// The convolution of x (N, H, W, C) with w (K, R, S, C / groups): (N, P, Q, K).
// kernels/conv2d/conv2d.h has the formula. Its gradients are
// conv2d_input_grad and conv2d_weight_grad.
Var conv2d(const Var& x, const Var& w, const Conv2dParams& params);

}  // namespace imago::ops
