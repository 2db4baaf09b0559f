#include "autograd/ops/batch_norm_lrelu.h"

#include "autograd/function.h"
#include "autograd/ops/batch_norm_lrelu_grad.h"
#include "kernels/batch_norm/batch_norm.h"

namespace imago::ops {
namespace {

class BatchNormLreluFunction final : public Function {
 public:
  BatchNormLreluFunction(double eps, double slope, std::int64_t stat_groups)
      : Function("batch_norm_lrelu"), eps_(eps), slope_(slope), stat_groups_(stat_groups) {}
  Vars backward(const Vars& g) override {
    const BatchNormStatistics statistics{saved(3).tensor(), saved(4).tensor(), eps_, stat_groups_};
    const BatchNormGradOutput out =
        batch_norm_lrelu_grad(g[0], saved(0), saved(1), saved(2), statistics, slope_);
    return {needs_grad(0) ? out.dx : Var(), needs_grad(1) ? out.dgamma : Var(),
            needs_grad(2) ? out.dbeta : Var()};
  }

 private:
  double eps_, slope_;
  std::int64_t stat_groups_;
};

}  // namespace

BatchNormOutput batch_norm_lrelu(const Var& x, const Var& gamma, const Var& beta, double eps,
                                 double slope, std::int64_t stat_groups) {
  kernels::BatchNormResult result =
      kernels::batch_norm_lrelu(x.tensor(), gamma.tensor(), beta.tensor(), eps, slope, stat_groups);
  const auto node = record<BatchNormLreluFunction>({x, gamma, beta}, eps, slope, stat_groups);
  if (node) {
    node->save(x);
    node->save(gamma);
    node->save(beta);
    node->save(result.mean);
    node->save(result.invstd);
  }
  const std::int64_t count = x.numel() / x.size(-1) / stat_groups;
  return {attach(node, result.y), result.mean, result.invstd, result.var, count};
}

}  // namespace imago::ops
