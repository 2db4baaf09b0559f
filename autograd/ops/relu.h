#pragma once

#include "autograd/var.h"

namespace imago::ops {

// max(x, 0), with gradient 0 at 0.
Var relu(const Var& x);

}  // namespace imago::ops
