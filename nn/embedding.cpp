#include "nn/embedding.h"

#include "autograd/ops/embedding.h"
#include "nn/init.h"

namespace imago::nn {

Embedding::Embedding(const EmbeddingOptions& options) : options_(options) {
  check(options.count > 0 && options.width > 0, "Embedding",
        "count and width must be positive, not ", options.count, " and ", options.width);
  weight_ = add_parameter("weight", Tensor::empty({options.count, options.width}));
  fill_normal(weight_, 0, 1);
}

Var Embedding::forward(const Var& indices) {
  check(indices.dtype() == DType::i64, "Embedding", "expects indices of i64 in [0, ",
        options_.count, "), not ", indices.dtype(), " ", indices.shape());
  return ops::embedding(weight_, indices.tensor());
}

}  // namespace imago::nn
