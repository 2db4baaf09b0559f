#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The same values in another dtype. Differentiable between floating types; the result of a cast to
// an integer type is a constant. x itself where the dtype is that already.
Var cast(const Var& x, DType dtype);

}  // namespace imago::ops
