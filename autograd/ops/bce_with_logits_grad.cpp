#include "autograd/ops/bce_with_logits_grad.h"

#include "autograd/function.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/sigmoid_grad.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/bce/bce.h"

namespace imago::ops {
namespace {

class BceWithLogitsGradFunction final : public Function {
 public:
  BceWithLogitsGradFunction() : Function("bce_with_logits_grad") {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), x = saved(1), t = saved(2);
    const double share = 1.0 / static_cast<double>(x.numel());
    const Var s = sigmoid(x);
    Vars grads(3);
    if (needs_grad(0)) {
      const Var terms = mul(cast(g[0], dy.dtype()), cast(sub(s, t), dy.dtype()));
      grads[0] = sum_to(scale(terms, share), dy.shape());
    }
    if (needs_grad(1) || needs_grad(2)) {
      const Var weighted = mul(scale(cast(dy, x.dtype()), share), g[0]);
      if (needs_grad(1)) grads[1] = sigmoid_grad(weighted, s);
      if (needs_grad(2)) grads[2] = scale(weighted, -1.0);
    }
    return grads;
  }
};

}  // namespace

Var bce_with_logits_grad(const Var& dy, const Var& logits, const Var& targets) {
  const auto node = record<BceWithLogitsGradFunction>({dy, logits, targets});
  if (node) {
    node->save(dy);
    node->save(logits);
    node->save(targets);
  }
  return attach(node,
                kernels::bce_with_logits_grad(dy.tensor(), logits.tensor(), targets.tensor()));
}

}  // namespace imago::ops
