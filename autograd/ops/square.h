#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x^2.
Var square(const Var& x);

}  // namespace imago::ops
