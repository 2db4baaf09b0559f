#pragma once

#include "autograd/var.h"
#include "kernels/padding.h"

namespace imago::ops {

// x (N, H, W, C) mirrored at its border pixels, which are not repeated: (N, top + H + bottom,
// left + W + right, C). Its gradient is pad_reflect_grad.
Var pad_reflect(const Var& x, const Padding& pad);

}  // namespace imago::ops
