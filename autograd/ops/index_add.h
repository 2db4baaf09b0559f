#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The adjoint of index_select: slices of x (outer..., indices..., inner...) added up at the places
// of an axis of `extent` elements that their indices name, (outer..., extent, inner...). `axis` is
// the one of the result.
Var index_add(const Var& x, int axis, const Tensor& indices, std::int64_t extent);

}  // namespace imago::ops
