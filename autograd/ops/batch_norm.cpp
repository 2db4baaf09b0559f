#include "autograd/ops/batch_norm.h"

#include "autograd/function.h"
#include "autograd/ops/batch_norm_grad.h"
#include "kernels/batch_norm/batch_norm.h"

namespace imago::ops {
namespace {

class BatchNormFunction final : public Function {
 public:
  BatchNormFunction(double eps, std::int64_t stat_groups)
      : Function("batch_norm"), eps_(eps), stat_groups_(stat_groups) {}
  Vars backward(const Vars& g) override {
    const BatchNormStatistics statistics{saved(2).tensor(), saved(3).tensor(), eps_, stat_groups_};
    const BatchNormGradOutput out = batch_norm_grad(g[0], saved(0), saved(1), statistics);
    return {needs_grad(0) ? out.dx : Var(), needs_grad(1) ? out.dgamma : Var(),
            needs_grad(2) ? out.dbeta : Var()};
  }

 private:
  double eps_;
  std::int64_t stat_groups_;
};

}  // namespace

BatchNormOutput batch_norm(const Var& x, const Var& gamma, const Var& beta, double eps,
                           std::int64_t stat_groups) {
  kernels::BatchNormResult result =
      kernels::batch_norm(x.tensor(), gamma.tensor(), beta.tensor(), eps, stat_groups);
  const auto node = record<BatchNormFunction>({x, gamma, beta}, eps, stat_groups);
  if (node) {
    node->save(x);
    node->save(gamma);
    node->save(result.mean);
    node->save(result.invstd);
  }
  const std::int64_t count = x.numel() / x.size(-1) / stat_groups;
  return {attach(node, result.y), result.mean, result.invstd, result.var, count};
}

}  // namespace imago::ops
