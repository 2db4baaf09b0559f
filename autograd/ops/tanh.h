#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The hyperbolic tangent.
Var tanh(const Var& x);

}  // namespace imago::ops
