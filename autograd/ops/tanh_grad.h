#pragma once

#include "autograd/var.h"

namespace imago::ops {

// dy (1 - y^2), the gradient of tanh from its output y.
Var tanh_grad(const Var& dy, const Var& y);

}  // namespace imago::ops
