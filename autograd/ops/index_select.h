#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The slices of x (outer..., n, inner...) along an axis that `indices`, i64 in [0, n) of any shape,
// name: (outer..., indices..., inner...). Indices may repeat.
Var index_select(const Var& x, int axis, const Tensor& indices);

}  // namespace imago::ops
