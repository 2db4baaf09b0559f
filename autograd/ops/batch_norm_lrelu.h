#pragma once

#include "autograd/ops/batch_norm.h"

namespace imago::ops {

// leaky_relu(batch_norm(x), slope) in one operation that reads x twice and writes y once, and whose
// backward pass keeps nothing but x; slope 0 is ReLU. The values of the composite, see
// kernels/batch_norm/batch_norm.h.
BatchNormOutput batch_norm_lrelu(const Var& x, const Var& gamma, const Var& beta, double eps,
                                 double slope, std::int64_t stat_groups = 1);

}  // namespace imago::ops
