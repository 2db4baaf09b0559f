#pragma once

#include "autograd/var.h"

namespace imago::ops {

// e^x.
Var exp(const Var& x);

}  // namespace imago::ops
