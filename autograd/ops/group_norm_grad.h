#pragma once

#include "autograd/var.h"
#include "kernels/group_norm/group_norm.h"

namespace imago::ops {

// What group_norm and layer_norm share: y of a problem that kernels/group_norm/group_norm.h
// describes. gamma and beta may be undefined.
Var normalise(const kernels::NormProblem& problem, const Var& x, const Var& gamma, const Var& beta,
              double eps);

// What a forward pass found. They are functions of x, and are differentiated as such; passing them
// only saves computing them again.
struct NormStatistics {
  Tensor mean, invstd;  // (images, groups)
  double eps;
};

struct NormGradOutput {
  Var dx;             // like x
  Var dgamma, dbeta;  // like gamma; undefined where they were not asked for
};

// The gradient of <dy, normalise(x, gamma, beta)> with respect to x, gamma and beta, differentiable
// in dy, x and gamma. `statistics` must be those of x.
NormGradOutput group_norm_grad(const kernels::NormProblem& problem, const Var& dy, const Var& x,
                               const Var& gamma, const NormStatistics& statistics,
                               bool parameters = true);

}  // namespace imago::ops
