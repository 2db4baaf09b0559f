#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The adjoint of gather: each element of x added up at the place along the axis, of `extent`
// elements, that its index names; `indices`, i64, has the shape of x.
Var scatter_add(const Var& x, int axis, const Tensor& indices, std::int64_t extent);

}  // namespace imago::ops
