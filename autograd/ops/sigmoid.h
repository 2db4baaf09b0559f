#pragma once

#include "autograd/var.h"

namespace imago::ops {

// 1 / (1 + e^-x).
Var sigmoid(const Var& x);

}  // namespace imago::ops
