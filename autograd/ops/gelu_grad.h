#pragma once

#include "autograd/var.h"

#include "kernels/elementwise/elementwise.h"

namespace imago::ops {

using kernels::Gelu;

// dy (Phi(x) + x phi(x)), phi the density of the standard normal: the gradient of gelu. Or that of
// its approximation.
Var gelu_grad(const Var& dy, const Var& x, Gelu form = Gelu::erf);

}  // namespace imago::ops
