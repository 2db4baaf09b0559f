#pragma once

#include "autograd/var.h"

namespace imago::ops {

// dy y (1 - y), the gradient of sigmoid from its output y.
Var sigmoid_grad(const Var& dy, const Var& y);

}  // namespace imago::ops
