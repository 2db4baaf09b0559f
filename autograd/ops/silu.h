#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x s(x), s the sigmoid; also called swish.
Var silu(const Var& x);

}  // namespace imago::ops
