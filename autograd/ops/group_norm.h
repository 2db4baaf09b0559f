#pragma once

#include <cstdint>

#include "autograd/var.h"

namespace imago::ops {

// Group norm of x (N, ..., C): each image and each of `groups` groups of neighbouring channels is
// normalised by its own mean and biased variance, then scaled and shifted per channel by gamma and
// beta (C) in acc_t of x. Either may be undefined: 1 and 0. kernels/group_norm/group_norm.h has
// formula and errors.
Var group_norm(const Var& x, std::int64_t groups, const Var& gamma = {}, const Var& beta = {},
               double eps = 1e-5);

// Each channel is a group.
inline Var instance_norm(const Var& x, const Var& gamma = {}, const Var& beta = {},
                         double eps = 1e-5) {
  return group_norm(x, x.size(-1), gamma, beta, eps);
}

}  // namespace imago::ops
