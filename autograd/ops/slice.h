#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Elements [begin, end) of the outermost dimension; shares memory.
Var slice(const Var& x, std::int64_t begin, std::int64_t end);

}  // namespace imago::ops
