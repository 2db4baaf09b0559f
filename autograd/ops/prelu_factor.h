#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x > 0 ? 1 : slope, what prelu multiplies x by, with the slope broadcast.
Var prelu_factor(const Var& x, const Var& slope);

}  // namespace imago::ops
