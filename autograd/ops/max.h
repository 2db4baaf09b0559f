#pragma once

#include "autograd/var.h"
#include "kernels/reduce/axes.h"

namespace imago::ops {

// The largest and the smallest over a set of axes; none means all (kernels/reduce/axes.h). Equal
// elements share the gradient equally.
Var max(const Var& x, const kernels::AxisList& axes = {}, bool keepdim = false);
Var min(const Var& x, const kernels::AxisList& axes = {}, bool keepdim = false);

// Where the largest is along an axis, i64; of several equal ones the first. A constant.
Tensor argmax(const Var& x, int axis, bool keepdim = false);
// The place in x, flattened, as a scalar ().
Tensor argmax(const Var& x);

}  // namespace imago::ops
