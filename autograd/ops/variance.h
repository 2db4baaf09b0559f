#pragma once

#include "autograd/var.h"
#include "kernels/reduce/axes.h"

namespace imago::ops {

// sum (x - mean)^2 / (n - correction) over a set of axes; none means all (kernels/reduce/axes.h).
// `correction` 0 is the mean square, 1 is unbiased. x - mean is formed first, so nothing cancels;
// bf16 is computed in f32. Throws when n <= correction.
Var variance(const Var& x, const kernels::AxisList& axes = {}, bool keepdim = false,
             std::int64_t correction = 0);

}  // namespace imago::ops
