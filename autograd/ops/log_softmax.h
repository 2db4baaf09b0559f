#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x - log sum e^x along one axis (kernels/softmax/softmax.h).
Var log_softmax(const Var& x, int axis = -1);

}  // namespace imago::ops
