#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x > 0 ? 0 : dy x, of one shape: what prelu sums to the gradient of its slope.
Var prelu_slope_grad(const Var& dy, const Var& x);

}  // namespace imago::ops
