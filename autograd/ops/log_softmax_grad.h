#pragma once

#include "autograd/var.h"

namespace imago::ops {

// dy - e^y sum dy along one axis: the gradient of log_softmax, from its result.
Var log_softmax_grad(const Var& dy, const Var& y, int axis = -1);

}  // namespace imago::ops
