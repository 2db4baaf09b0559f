#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The rows of table (V, D) that `indices`, i64 in [0, V) of any shape, name: (indices..., D). The
// gradient of a row is the sum over all places where it was looked up.
Var embedding(const Var& table, const Tensor& indices);

}  // namespace imago::ops
