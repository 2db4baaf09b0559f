#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Binary cross-entropy of logits and targets in [0, 1], of one shape and dtype: the mean over all
// elements of softplus(x) - x t, a scalar () of acc_t.
Var bce_with_logits(const Var& logits, const Var& targets);

}  // namespace imago::ops
