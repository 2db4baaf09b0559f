#pragma once

#include "autograd/var.h"

namespace imago::ops {

// dy s (1 + x (1 - s)) with s the sigmoid of x, the gradient of silu.
Var silu_grad(const Var& dy, const Var& x);

}  // namespace imago::ops
