#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x > 0 ? x : slope x with a learned slope: one per channel (C,), or any that broadcasts to the
// shape of x (arXiv 1502.01852). At x = 0 the gradient is that of the negative side.
Var prelu(const Var& x, const Var& slope);

}  // namespace imago::ops
