#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x at [begin, begin + its extent) of an axis of `extent` elements, zeros elsewhere: the adjoint of
// slice.
Var place(const Var& x, int axis, std::int64_t begin, std::int64_t extent);

}  // namespace imago::ops
