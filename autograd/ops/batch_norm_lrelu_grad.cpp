#include "autograd/ops/batch_norm_lrelu_grad.h"

#include "autograd/composite.h"
#include "autograd/function.h"
#include "autograd/ops/batch_norm.h"
#include "autograd/ops/leaky_relu_grad.h"
#include "kernels/batch_norm/batch_norm.h"

namespace imago::ops {
namespace {

class BatchNormLreluGradFunction final : public Function {
 public:
  BatchNormLreluGradFunction(double eps, double slope, std::int64_t stat_groups)
      : Function("batch_norm_lrelu_grad"), eps_(eps), slope_(slope), stat_groups_(stat_groups) {}

  // On either side of its kink the activation is linear, so this is batch_norm_grad of dy times
  // what is locally a constant.
  Vars backward(const Vars& g) override {
    const BatchNormStatistics statistics{saved(4).tensor(), saved(5).tensor(), eps_, stat_groups_};
    const Var dy = saved(0), x = saved(1), gamma = saved(2);
    // The z of the forward pass, bit for bit; only its sign matters.
    const Var z = batch_norm(x.detach(), gamma.detach(), saved(3).detach(), eps_, stat_groups_).y;
    Vars grads = composite_backward(
        [&](const Vars& v) {
          const BatchNormGradOutput out =
              batch_norm_grad(leaky_relu_grad(v[0], z, slope_), v[1], v[2], statistics);
          return Vars{out.dx, out.dgamma, out.dbeta};
        },
        {dy, x, gamma}, {needs_grad(0), needs_grad(1), needs_grad(2)}, g);
    grads.emplace_back();
    return grads;
  }

 private:
  double eps_, slope_;
  std::int64_t stat_groups_;
};

}  // namespace

BatchNormGradOutput batch_norm_lrelu_grad(const Var& dy, const Var& x, const Var& gamma,
                                          const Var& beta, const BatchNormStatistics& statistics,
                                          double slope) {
  kernels::BatchNormGrads result = kernels::batch_norm_lrelu_grad(
      dy.tensor(), x.tensor(), gamma.tensor(), beta.tensor(), statistics.mean, statistics.invstd,
      slope, statistics.stat_groups);
  const auto node = record<BatchNormLreluGradFunction>({dy, x, gamma, beta}, statistics.eps, slope,
                                                       statistics.stat_groups);
  if (node) {
    node->save(dy);
    node->save(x);
    node->save(gamma);
    node->save(beta);
    node->save(statistics.mean);
    node->save(statistics.invstd);
  }
  const Var dx = attach(node, result.dx), dgamma = attach(node, result.dgamma);
  return {dx, dgamma, attach(node, result.dbeta)};
}

}  // namespace imago::ops
