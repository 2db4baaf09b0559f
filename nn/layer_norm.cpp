#include "nn/layer_norm.h"

#include "autograd/ops/layer_norm.h"

namespace imago::nn {

LayerNorm::LayerNorm(const LayerNormOptions& options) : options_(options) {
  const Shape& shape = options.shape;
  check(shape.dim() > 0 && shape.numel() > 1, "LayerNorm",
        "normalises two or more numbers together, but shape is ", shape,
        "; it is that of the innermost dimensions, without the batch");
  check(options.eps > 0, "LayerNorm", "eps must be positive, not ", options.eps);
  if (!options.affine) return;
  weight_ = add_parameter("weight", Tensor::full(shape, 1));
  bias_ = add_parameter("bias", Tensor::zeros(shape));
}

Var LayerNorm::forward(const Var& x) {
  const Shape& shape = options_.shape;
  const int outer = x.dim() - shape.dim();
  bool fits = outer >= 0;
  for (int i = 0; fits && i < shape.dim(); ++i) fits = x.size(outer + i) == shape[i];
  check(fits, "LayerNorm", "expects an input that ends in ", shape, " but it is ", x.shape());
  return ops::layer_norm(x, shape, weight_, bias_, options_.eps);
}

}  // namespace imago::nn
