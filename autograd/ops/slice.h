#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Elements [begin, end) of the outermost dimension; shares memory.
Var slice(const Var& x, std::int64_t begin, std::int64_t end);

// Elements [begin, end) of an axis, which may be counted from the innermost, -1; shares memory
// along the outermost one only.
Var slice(const Var& x, int axis, std::int64_t begin, std::int64_t end);

// The slices of these extents, which add up to the extent of the axis.
Vars split(const Var& x, int axis, const std::vector<std::int64_t>& extents);

}  // namespace imago::ops
