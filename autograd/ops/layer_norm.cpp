#include "autograd/ops/layer_norm.h"

#include "autograd/ops/group_norm_grad.h"

namespace imago::ops {

Var layer_norm(const Var& x, const Shape& normalised, const Var& gamma, const Var& beta,
               double eps) {
  return normalise(kernels::layer_norm_problem(x.shape(), normalised), x, gamma, beta, eps);
}

}  // namespace imago::ops
