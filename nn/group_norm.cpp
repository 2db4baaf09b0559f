#include "nn/group_norm.h"

#include "autograd/ops/group_norm.h"

namespace imago::nn {

GroupNorm::GroupNorm(const GroupNormOptions& o) : options_(o) {
  check(o.channels > 0 && o.groups > 0 && o.channels % o.groups == 0, "GroupNorm", o.groups,
        " groups must divide ", o.channels, " channels, both of them positive");
  check(o.eps > 0, "GroupNorm", "eps must be positive, not ", o.eps);
  if (!o.affine) return;
  weight_ = add_parameter("weight", Tensor::full({o.channels}, 1));
  bias_ = add_parameter("bias", Tensor::zeros({o.channels}));
}

Var GroupNorm::forward(const Var& x) {
  check(x.dim() >= 2 && x.size(-1) == options_.channels, "GroupNorm", "expects (N, ..., ",
        options_.channels, ") but the input is ", x.shape());
  return ops::group_norm(x, options_.groups, weight_, bias_, options_.eps);
}

InstanceNorm2d::InstanceNorm2d(const InstanceNorm2dOptions& o) : options_(o) {
  check(o.channels > 0, "InstanceNorm2d", "channels must be positive, not ", o.channels);
  check(o.eps > 0, "InstanceNorm2d", "eps must be positive, not ", o.eps);
  if (!o.affine) return;
  weight_ = add_parameter("weight", Tensor::full({o.channels}, 1));
  bias_ = add_parameter("bias", Tensor::zeros({o.channels}));
}

Var InstanceNorm2d::forward(const Var& x) {
  check(x.dim() == 4 && x.size(3) == options_.channels, "InstanceNorm2d", "expects (N, H, W, ",
        options_.channels, ") but the input is ", x.shape());
  check(x.size(1) * x.size(2) > 1, "InstanceNorm2d",
        "normalises each channel over its image, but the input is ", x.shape(),
        ": one pixel is its own mean and would become 0");
  return ops::instance_norm(x, weight_, bias_, options_.eps);
}

}  // namespace imago::nn
