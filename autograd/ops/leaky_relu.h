#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x > 0 ? x : slope x, with the gradient of the negative side at 0.
Var leaky_relu(const Var& x, double slope);

}  // namespace imago::ops
