#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x > 0 ? dy : slope dy, the gradient of leaky_relu.
Var leaky_relu_grad(const Var& dy, const Var& x, double slope);

}  // namespace imago::ops
