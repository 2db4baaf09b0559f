#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The square root; NaN below 0, gradient infinite at 0.
Var sqrt(const Var& x);

}  // namespace imago::ops
