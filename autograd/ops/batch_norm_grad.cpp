#include "autograd/ops/batch_norm_grad.h"

#include "autograd/composite.h"
#include "autograd/function.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/div.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/batch_norm/batch_norm.h"

namespace imago::ops {
namespace {

// batch_norm_grad of {dy, x, gamma} from elementary operations, statistics computed afresh.
Vars composite(const Vars& inputs, double eps, std::int64_t groups) {
  const Shape& shape = inputs[1].shape();
  const std::int64_t channels = shape[-1], rows = shape.numel() / channels / groups;
  const Shape grouped{groups, rows, channels}, per_group{groups, 1, channels};
  const DType wide = inputs[2].dtype();
  const auto widened = [&](const Var& v) { return reshape(cast(v, wide), grouped); };
  const auto mean_over_rows = [&](const Var& v) {
    return scale(sum_to(v, per_group), 1.0 / static_cast<double>(rows));
  };
  const Var dy = widened(inputs[0]), x = widened(inputs[1]), gamma = inputs[2];

  const Var centred = sub(x, mean_over_rows(x));
  const Var variance = mean_over_rows(mul(centred, centred));
  const Var deviation = sqrt(add_scalar(variance, eps));  // (G, 1, C)
  const Var xhat = div(centred, deviation);
  const Var mean_dy = mean_over_rows(dy), mean_dy_xhat = mean_over_rows(mul(dy, xhat));
  const Var inner = sub(sub(dy, mean_dy), mul(xhat, mean_dy_xhat));
  const Var dx = reshape(mul(inner, div(gamma, deviation)), shape);
  const double count = static_cast<double>(rows);
  return {cast(dx, inputs[1].dtype()), scale(sum_to(mean_dy_xhat, {channels}), count),
          scale(sum_to(mean_dy, {channels}), count)};
}

class BatchNormGradFunction final : public Function {
 public:
  BatchNormGradFunction(double eps, std::int64_t stat_groups)
      : Function("batch_norm_grad"), eps_(eps), stat_groups_(stat_groups) {}
  Vars backward(const Vars& g) override {
    return composite_backward([this](const Vars& v) { return composite(v, eps_, stat_groups_); },
                              {saved(0), saved(1), saved(2)},
                              {needs_grad(0), needs_grad(1), needs_grad(2)}, g);
  }

 private:
  double eps_;
  std::int64_t stat_groups_;
};

}  // namespace

BatchNormGradOutput batch_norm_grad(const Var& dy, const Var& x, const Var& gamma,
                                    const BatchNormStatistics& statistics) {
  kernels::BatchNormGrads result =
      kernels::batch_norm_grad(dy.tensor(), x.tensor(), gamma.tensor(), statistics.mean,
                               statistics.invstd, statistics.stat_groups);
  const auto node =
      record<BatchNormGradFunction>({dy, x, gamma}, statistics.eps, statistics.stat_groups);
  if (node) {
    node->save(dy);
    node->save(x);
    node->save(gamma);
  }
  const Var dx = attach(node, result.dx), dgamma = attach(node, result.dgamma);
  return {dx, dgamma, attach(node, result.dbeta)};
}

}  // namespace imago::ops
