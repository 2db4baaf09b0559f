#pragma once

#include "autograd/var.h"
#include "kernels/cross_entropy/cross_entropy.h"

namespace imago::ops {

// Cross-entropy of logits (N, K) and class indices (N) of i64: the mean over the rows that count of
// -sum q log softmax(x), a scalar () of acc_t (kernels/cross_entropy/cross_entropy.h).
Var cross_entropy(const Var& logits, const Tensor& labels,
                  const kernels::CrossEntropyOptions& options = {});

}  // namespace imago::ops
