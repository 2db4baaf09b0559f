#pragma once

#include <cstdint>

#include "autograd/var.h"

namespace imago::ops {

// The statistics that a forward pass found in its input. They are functions of x, and are
// differentiated as such; passing them only saves computing them again.
struct BatchNormStatistics {
  Tensor mean, invstd;  // (G, C)
  double eps;
  std::int64_t stat_groups;
};

struct BatchNormGradOutput {
  Var dx;             // like x
  Var dgamma, dbeta;  // (C)
};

// The gradient of <dy, batch_norm(x, gamma, beta)> with respect to x, gamma and beta, from dy and x
// (N, ..., C) and gamma (C); differentiable in all three. `statistics` must be those of x.
BatchNormGradOutput batch_norm_grad(const Var& dy, const Var& x, const Var& gamma,
                                    const BatchNormStatistics& statistics);

}  // namespace imago::ops
