#pragma once

#include "autograd/var.h"
#include "kernels/reduce/axes.h"

namespace imago::ops {

// Sums the axes of x along which `shape`, broadcastable to x, has extent 1 or is missing. The
// adjoint of broadcast_to.
Var sum_to(const Var& x, const Shape& shape);

// The sum and the mean of all elements, as a scalar ().
Var sum(const Var& x);
Var mean(const Var& x);

// The same over a set of axes; none means all (kernels/reduce/axes.h).
Var sum(const Var& x, const kernels::AxisList& axes, bool keepdim = false);
Var mean(const Var& x, const kernels::AxisList& axes, bool keepdim = false);

}  // namespace imago::ops
