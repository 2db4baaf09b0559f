#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x > 0 ? dy : x < 0 ? -dy : 0, the gradient of abs.
Var abs_grad(const Var& dy, const Var& x);

}  // namespace imago::ops
