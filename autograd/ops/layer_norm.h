#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Layer norm of x (..., normalised): each row of the innermost dimensions `normalised` is
// normalised by its own mean and biased variance, then scaled and shifted per element by gamma and
// beta (of shape `normalised`) in acc_t of x. Either may be undefined: 1 and 0.
// kernels/group_norm/group_norm.h has formula and errors.
Var layer_norm(const Var& x, const Shape& normalised, const Var& gamma = {}, const Var& beta = {},
               double eps = 1e-5);

}  // namespace imago::ops
