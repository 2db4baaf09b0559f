#pragma once

#include <cstdint>

#include "autograd/var.h"

namespace imago::ops {

// What training batch norm returns: a result to differentiate, and the statistics of each group as
// constants, for running averages (kernels::update_running) and for the backward pass.
struct BatchNormOutput {
  Var y;               // like x
  Tensor mean;         // (G, C)
  Tensor invstd;       // (G, C)
  Tensor var;          // (G, C), biased
  std::int64_t count;  // values per channel in a group
};

// Batch normalisation of x (N, ..., C) with its own statistics, one set for each of stat_groups
// equal parts of the batch; gamma, beta (C) in acc_t of x. kernels/batch_norm/batch_norm.h has
// formula and errors. y depends on x through the statistics too.
BatchNormOutput batch_norm(const Var& x, const Var& gamma, const Var& beta, double eps,
                           std::int64_t stat_groups = 1);

}  // namespace imago::ops
