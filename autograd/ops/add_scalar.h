#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x + term for a constant of the program. A term that changes between
// steps belongs into a tensor: use add.
Var add_scalar(const Var& x, double term);

}  // namespace imago::ops
