#pragma once

#include "autograd/var.h"

namespace imago::ops {

// |x|, with gradient 0 at 0.
Var abs(const Var& x);

}  // namespace imago::ops
