#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x repeated along the axes in which it has extent 1 or is missing. The adjoint of sum_to.
Var broadcast_to(const Var& x, const Shape& shape);

}  // namespace imago::ops
