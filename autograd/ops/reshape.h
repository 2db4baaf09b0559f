#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The same elements under another shape; shares memory. One extent may be -1.
Var reshape(const Var& x, const Shape& shape);
Var reshape(const Var& x, std::initializer_list<std::int64_t> extents);

}  // namespace imago::ops
