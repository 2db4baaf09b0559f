#pragma once

#include "autograd/var.h"

namespace imago::ops {

// -x.
Var neg(const Var& x);

}  // namespace imago::ops
