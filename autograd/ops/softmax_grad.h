#pragma once

#include "autograd/var.h"

namespace imago::ops {

// y (dy - sum dy y) along one axis: the gradient of softmax, from its result.
Var softmax_grad(const Var& dy, const Var& y, int axis = -1);

}  // namespace imago::ops
