#pragma once

#include "autograd/var.h"

namespace imago::ops {

// The largest of each channel of x (N, H, W, C) over the whole image: (N, 1, 1, C). Equal pixels
// share the gradient equally (autograd/ops/max.h), where max_pool2d gives it to the first of them.
Var global_max_pool2d(const Var& x);

}  // namespace imago::ops
