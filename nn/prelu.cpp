#include "nn/prelu.h"

#include "autograd/ops/prelu.h"

namespace imago::nn {

PReLU::PReLU(const PReLUOptions& options) : options_(options) {
  check(options.channels > 0, "PReLU", "channels must be positive, not ", options.channels);
  weight_ = add_parameter("weight", Tensor::full({options.channels}, options.slope));
}

Var PReLU::forward(const Var& x) {
  const int channels = options_.channels;
  check(channels == 1 || (x.dim() > 0 && x.size(-1) == channels), "PReLU", "expects (..., ",
        channels, "), a slope for each channel, but the input is ", x.shape());
  return ops::prelu(x, weight_);
}

}  // namespace imago::nn
