#pragma once

#include "autograd/var.h"

#include "kernels/elementwise/elementwise.h"

namespace imago::ops {

using kernels::Gelu;

// x Phi(x), Phi the distribution function of the standard normal (arXiv 1606.08415), or its
// approximation by tanh; kernels/elementwise/elementwise.h has the formulas.
Var gelu(const Var& x, Gelu form = Gelu::erf);

}  // namespace imago::ops
