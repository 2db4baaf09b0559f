#pragma once

#include "autograd/var.h"

namespace imago::ops {

// 1 / x, element by element.
Var reciprocal(const Var& x);

}  // namespace imago::ops
