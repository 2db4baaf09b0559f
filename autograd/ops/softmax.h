#pragma once

#include "autograd/var.h"

namespace imago::ops {

// e^x / sum e^x along one axis (kernels/softmax/softmax.h).
Var softmax(const Var& x, int axis = -1);

}  // namespace imago::ops
