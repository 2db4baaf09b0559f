#include "nn/batch_norm2d.h"

#include "autograd/ops/batch_norm.h"
#include "autograd/ops/batch_norm_inference.h"
#include "autograd/ops/batch_norm_lrelu.h"
#include "kernels/batch_norm/batch_norm.h"
#include "tensor/layer_scope.h"

namespace imago::nn {

BatchNorm2d::BatchNorm2d(const BatchNorm2dOptions& options) : options_(options) {
  check(options.channels > 0, "BatchNorm2d", "channels must be positive, not ", options.channels);
  check(options.eps > 0, "BatchNorm2d", "eps must be positive, not ", options.eps);
  check(0 <= options.momentum && options.momentum <= 1, "BatchNorm2d",
        "momentum is the weight of the new batch, in [0, 1], not ", options.momentum,
        "; Keras' 0.99 is 0.01 here");
  const Shape shape{options.channels};
  weight_ = add_parameter("weight", Tensor::full(shape, 1));
  bias_ = add_parameter("bias", Tensor::zeros(shape));
  running_mean_ = add_buffer("running_mean", Tensor::zeros(shape));
  running_var_ = add_buffer("running_var", Tensor::full(shape, 1));
}

void BatchNorm2d::set_stat_groups(int groups) {
  check(groups > 0, "BatchNorm2d", "stat_groups must be positive, not ", groups);
  stat_groups_ = groups;
}

void BatchNorm2d::require_input(const Var& x) const {
  check(x.dim() >= 2 && x.size(-1) == options_.channels, "BatchNorm2d", "expects (N, ..., ",
        options_.channels, ") but the input is ", x.shape());
}

Var BatchNorm2d::keep_statistics(const ops::BatchNormOutput& out) {
  Tensor mean = running_mean_.tensor(), var = running_var_.tensor();
  kernels::update_running(mean, var, out.mean, out.var, out.count, options_.momentum,
                          options_.unbiased);
  return out.y;
}

Var BatchNorm2d::forward(const Var& x) {
  require_input(x);
  if (training()) {
    return keep_statistics(ops::batch_norm(x, weight_, bias_, options_.eps, stat_groups_));
  }
  return ops::batch_norm_inference(x, weight_, bias_, running_mean_.tensor(), running_var_.tensor(),
                                   options_.eps);
}

Var BatchNorm2d::forward_lrelu(const Var& x, double slope) {
  const LayerScope scope(name());
  require_input(x);
  const Var y = training() ? keep_statistics(ops::batch_norm_lrelu(x, weight_, bias_, options_.eps,
                                                                   slope, stat_groups_))
                           : ops::batch_norm_inference(x, weight_, bias_, running_mean_.tensor(),
                                                       running_var_.tensor(), options_.eps, slope);
  run_forward_hooks(x, y);
  return y;
}

void set_stat_groups(Module& module, int groups) {
  module.visit([groups](const std::string&, Module& m) {
    if (auto* norm = dynamic_cast<BatchNorm2d*>(&m)) norm->set_stat_groups(groups);
  });
}

}  // namespace imago::nn
