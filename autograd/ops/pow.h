#pragma once

#include "autograd/var.h"

namespace imago::ops {

// x^exponent, element by element, for a constant of the program. NaN where x is negative and the
// exponent no integer. The gradient at 0 is that of the formula: infinite for exponents below 1.
Var pow(const Var& x, double exponent);

// a^b with broadcasting. The derivative with respect to b is a^b log a, and 0 where a = 0 and
// b >= 0; NaN for negative a, and where a = 0 and b < 0.
Var pow(const Var& a, const Var& b);

}  // namespace imago::ops
