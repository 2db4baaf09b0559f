#pragma once

#include "autograd/var.h"

namespace imago::ops {

// log(1 + e^x), without overflow: the loss -log(sigmoid(-x)).
Var softplus(const Var& x);

}  // namespace imago::ops
