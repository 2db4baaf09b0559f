#pragma once

#include "autograd/var.h"

namespace imago::ops {

// a - b with broadcasting. f32, f64 or bf16, both alike.
Var sub(const Var& a, const Var& b);

}  // namespace imago::ops
