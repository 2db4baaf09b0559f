#pragma once

#include "autograd/ops/batch_norm_grad.h"

namespace imago::ops {

// The gradient of <dy, batch_norm_lrelu(x, gamma, beta)> with respect to x, gamma and beta;
// differentiable in dy, x and gamma. Its derivative with respect to beta, which only moves the
// kink, is zero. `statistics` must be those of x.
BatchNormGradOutput batch_norm_lrelu_grad(const Var& dy, const Var& x, const Var& gamma,
                                          const Var& beta, const BatchNormStatistics& statistics,
                                          double slope);

}  // namespace imago::ops
