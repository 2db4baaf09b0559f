#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The natural logarithm; NaN below 0.
Var log(const Var& x);

}  // namespace imago::ops
