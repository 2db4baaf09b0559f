#include "autograd/ops/cross_entropy.h"

#include "autograd/function.h"
#include "autograd/ops/cross_entropy_grad.h"

namespace imago::ops {
namespace {

class CrossEntropyFunction final : public Function {
 public:
  explicit CrossEntropyFunction(const kernels::CrossEntropyOptions& options)
      : Function("cross_entropy"), options_(options) {}
  Vars backward(const Vars& g) override {
    const kernels::CrossEntropyResult forward{{}, saved(2).tensor(), saved(3).tensor()};
    return {cross_entropy_grad(g[0], saved(0), saved(1).tensor(), forward, options_)};
  }

 private:
  kernels::CrossEntropyOptions options_;
};

}  // namespace

Var cross_entropy(const Var& logits, const Tensor& labels,
                  const kernels::CrossEntropyOptions& options) {
  const kernels::CrossEntropyResult result =
      kernels::cross_entropy(logits.tensor(), labels, options);
  const auto node = record<CrossEntropyFunction>({logits}, options);
  if (node) {
    node->save(logits);
    node->save(labels);
    node->save(result.statistics);
    node->save(result.weights);
  }
  return attach(node, result.loss);
}

}  // namespace imago::ops
