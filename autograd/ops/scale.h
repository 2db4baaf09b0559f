#pragma once

#include "autograd/var.h"

namespace imago::ops {

// factor * x for a constant of the program. A factor that changes between steps belongs into a
// tensor: use mul.
Var scale(const Var& x, double factor);

}  // namespace imago::ops
