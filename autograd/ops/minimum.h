#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The smaller of a and b, element by element, with broadcasting; NaN where either is NaN. The
// gradient goes to the smaller one; where they are equal, or NaN, each gets half.
Var minimum(const Var& a, const Var& b);

}  // namespace imago::ops
