#pragma once

#include "autograd/var.h"

#include "kernels/elementwise/elementwise.h"

namespace imago::ops {

using kernels::Bounds;

// x between two bounds, either of which may be left out: clamp(x, {.low = 0}). The gradient passes
// where low <= x <= high, the bounds included.
Var clamp(const Var& x, const Bounds& bounds);

}  // namespace imago::ops
