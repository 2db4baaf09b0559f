#pragma once

#include "autograd/var.h"
#include "kernels/reduce/axes.h"

namespace imago::ops {

// log sum e^x over a set of axes; none means all (kernels/reduce/axes.h). Where all terms are -inf
// the gradient is 0.
Var logsumexp(const Var& x, const kernels::AxisList& axes = {}, bool keepdim = false);

}  // namespace imago::ops
