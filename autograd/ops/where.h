#pragma once

#include "autograd/var.h"

namespace imago::ops {

// mask != 0 ? a : b, element by element, with broadcasting of all three. mask is a u8 tensor, such
// as the comparisons of autograd/ops/compare.h give. The gradient goes to the one chosen.
Var where(const Tensor& mask, const Var& a, const Var& b);

}  // namespace imago::ops
