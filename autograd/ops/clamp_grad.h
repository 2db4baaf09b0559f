#pragma once

#include "autograd/var.h"

#include "kernels/elementwise/elementwise.h"

namespace imago::ops {

using kernels::Bounds;

// low <= x <= high ? dy : 0, the gradient of clamp.
Var clamp_grad(const Var& dy, const Var& x, const Bounds& bounds);

}  // namespace imago::ops
