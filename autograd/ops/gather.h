#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x[..., indices[..., p, ...], ...]: single elements along an axis; `indices`, i64, has the extents
// of x but along that axis.
Var gather(const Var& x, int axis, const Tensor& indices);

}  // namespace imago::ops
