#pragma once

#include "autograd/var.h"

namespace imago::ops {

// parts (..., n_i, ...) whose other extents agree, joined along an axis, which may be counted from
// the innermost, -1.
Var concat(const Vars& parts, int axis = 0);

// Parts of one shape, side by side along a new axis that stands at `axis` in the result.
Var stack(const Vars& parts, int axis = 0);

}  // namespace imago::ops
