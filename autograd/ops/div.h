#pragma once

#include "autograd/var.h"

namespace imago::ops {

// a / b, element by element, with broadcasting. f32, f64 or bf16, both alike.
Var div(const Var& a, const Var& b);

}  // namespace imago::ops
