#include "autograd/ops/cross_entropy_grad.h"

#include "autograd/function.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/compare.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/softmax.h"
#include "autograd/ops/softmax_grad.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/where.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class CrossEntropyGradFunction final : public Function {
 public:
  explicit CrossEntropyGradFunction(const kernels::CrossEntropyOptions& options)
      : Function("cross_entropy_grad"), options_(options) {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), x = saved(1), weights = saved(4);
    Vars grads(2);
    if (needs_grad(0)) {
      const kernels::CrossEntropyResult forward{{}, saved(3).tensor(), weights.tensor()};
      const Var one = kernels::full({}, 1, dy.dtype(), dy.device());
      const Var unit = cross_entropy_grad(one, x, saved(2).tensor(), forward, options_);
      grads[0] = reshape(sum(mul(cast(g[0], dy.dtype()), cast(unit, dy.dtype()))), dy.shape());
    }
    if (needs_grad(1)) {
      // The target distribution does not depend on x, so only softmax is differentiated.
      const Shape column{weights.size(0), 1};
      const Var scales = reshape(mul(weights, reshape(dy, {1})), column);
      // Rows that do not count may hold anything: 0 times that is no 0, so they are left out first.
      const Var zero = kernels::full({}, 0, x.dtype(), x.device());
      const Var counted = where(equal(reshape(weights, column), 0), zero, x);
      grads[1] = softmax_grad(mul(g[0], cast(scales, x.dtype())), softmax(counted));
    }
    return grads;
  }

 private:
  kernels::CrossEntropyOptions options_;
};

}  // namespace

Var cross_entropy_grad(const Var& dy, const Var& logits, const Tensor& labels,
                       const kernels::CrossEntropyResult& forward,
                       const kernels::CrossEntropyOptions& options) {
  const auto node = record<CrossEntropyGradFunction>({dy, logits}, options);
  if (node) {
    node->save(dy);
    node->save(logits);
    node->save(labels);
    node->save(forward.statistics);
    node->save(forward.weights);
  }
  return attach(
      node, kernels::cross_entropy_grad(dy.tensor(), logits.tensor(), labels, forward, options));
}

}  // namespace imago::ops
