#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Sums the axes of x along which `shape`, broadcastable to x, has extent 1 or is missing. The
// adjoint of broadcast_to.
Var sum_to(const Var& x, const Shape& shape);

// The sum and the mean of all elements, as a scalar ().
Var sum(const Var& x);
Var mean(const Var& x);

}  // namespace imago::ops
