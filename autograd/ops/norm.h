#pragma once

#include "autograd/var.h"
#include "kernels/reduce/axes.h"

namespace imago::ops {

// (sum |x|^p)^(1/p) over a set of axes for p = 1 and 2; none means all (kernels/reduce/axes.h).
// Where x is 0 the gradient of |x| is 0, and so is that of a norm of nothing but zeros.
Var norm(const Var& x, double p = 2, const kernels::AxisList& axes = {}, bool keepdim = false);

}  // namespace imago::ops
