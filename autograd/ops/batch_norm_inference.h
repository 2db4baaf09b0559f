#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Batch norm of x (N, ..., C) with given statistics, then a leaky ReLU (slope 1: none):
//     z = (x - running_mean) / sqrt(running_var + eps) * gamma + beta,  y = z > 0 ? z : slope * z.
// gamma, beta, running_mean, running_var (C) in acc_t of x. Differentiable in x, gamma and beta;
// the statistics are constants.
Var batch_norm_inference(const Var& x, const Var& gamma, const Var& beta,
                         const Tensor& running_mean, const Tensor& running_var, double eps,
                         double slope = 1.0);

}  // namespace imago::ops
