#include "autograd/ops/group_norm.h"

#include "autograd/ops/group_norm_grad.h"

namespace imago::ops {

Var group_norm(const Var& x, std::int64_t groups, const Var& gamma, const Var& beta, double eps) {
  return normalise(kernels::group_norm_problem(x.shape(), groups), x, gamma, beta, eps);
}

}  // namespace imago::ops
