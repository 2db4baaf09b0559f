#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
Var erf(const Var& x);

}  // namespace imago::ops
