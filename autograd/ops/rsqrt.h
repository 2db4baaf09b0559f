#pragma once

#include "autograd/var.h"

namespace imago::ops {

// 1 / sqrt(x), element by element.
Var rsqrt(const Var& x);

}  // namespace imago::ops
