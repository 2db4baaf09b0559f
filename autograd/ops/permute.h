#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The axes of x in another order: axis i of the result is axis order[i] of x. NHWC to NCHW is
// {0, 3, 1, 2}. An axis may be counted from the innermost, -1.
Var permute(const Var& x, const std::vector<int>& order);

// Exchanges two axes.
Var transpose(const Var& x, int axis_a, int axis_b);

}  // namespace imago::ops
