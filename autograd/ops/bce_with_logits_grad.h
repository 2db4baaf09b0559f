#pragma once

#include "autograd/var.h"

namespace imago::ops {

// dy (sigmoid(x) - t) / n for n logits x and targets t, dy () of acc_t: the gradient of
// bce_with_logits with respect to the logits, of their shape and dtype.
Var bce_with_logits_grad(const Var& dy, const Var& logits, const Var& targets);

}  // namespace imago::ops
