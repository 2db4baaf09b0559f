#include "nn/linear.h"

#include "autograd/ops/add.h"
#include "autograd/ops/matmul.h"
#include "nn/init.h"

namespace imago::nn {

Linear::Linear(const LinearOptions& options) : options_(options) {
  check(options.in > 0 && options.out > 0, "Linear", "in and out must be positive, not ",
        options.in, " and ", options.out);
  const char* name = options.spectral_norm ? "weight_orig" : "weight";
  weight_ = add_parameter(name, default_uniform({options.out, options.in}, options.in));
  if (options.bias) bias_ = add_parameter("bias", default_uniform({options.out}, options.in));
  if (options.spectral_norm) {
    const auto [u, v] = SpectralNorm::start(weight_.tensor(), Outputs::first);
    spectral_norm_.emplace(weight_, add_buffer("weight_u", u), add_buffer("weight_v", v),
                           Outputs::first);
  }
}

Var Linear::forward(const Var& x) {
  check(x.dim() == 2 && x.size(1) == options_.in, "Linear", "expects (N, ", options_.in,
        ") but the input is ", x.shape(), "; is a Flatten missing before it?");
  const Var weight = spectral_norm_ ? (*spectral_norm_)(training()) : weight_;
  const Var y = ops::matmul(x, weight, kernels::Transpose::no, kernels::Transpose::yes);
  return bias_ ? ops::add(y, bias_) : y;
}

}  // namespace imago::nn
