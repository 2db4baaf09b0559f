#pragma once

#include "autograd/var.h"
#include "kernels/cross_entropy/cross_entropy.h"

namespace imago::ops {

// The gradient of dy cross_entropy(logits, labels) with respect to the logits, of their shape and
// dtype; dy () of acc_t. `forward` must hold the statistics and weights of these logits; they are
// functions of the logits, and are differentiated as such.
Var cross_entropy_grad(const Var& dy, const Var& logits, const Tensor& labels,
                       const kernels::CrossEntropyResult& forward,
                       const kernels::CrossEntropyOptions& options = {});

}  // namespace imago::ops
