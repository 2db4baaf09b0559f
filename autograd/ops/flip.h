#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x (any shape) with the order along `axis` reversed; negative axes count from the innermost: -2 is
// W of an image. Its own gradient.
Var flip(const Var& x, int axis);

}  // namespace imago::ops
