#pragma once

#include "autograd/var.h"
#include "kernels/padding.h"

namespace imago::ops {

// The adjoint of pad_reflect: from dy (N, top + H + bottom, left + W + right, C) to (N, H, W, C),
// each pixel the sum of those that show it. Its gradient is pad_reflect.
Var pad_reflect_grad(const Var& dy, const Padding& pad);

}  // namespace imago::ops
