#include "autograd/ops/bce_with_logits.h"

#include "autograd/function.h"
#include "autograd/ops/bce_with_logits_grad.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "kernels/bce/bce.h"

namespace imago::ops {
namespace {

class BceWithLogitsFunction final : public Function {
 public:
  BceWithLogitsFunction() : Function("bce_with_logits") {}
  Vars backward(const Vars& g) override {
    const Var x = saved(0), t = saved(1);
    const double mean = -1.0 / static_cast<double>(x.numel());
    return {needs_grad(0) ? bce_with_logits_grad(g[0], x, t) : Var(),
            needs_grad(1) ? mul(scale(cast(g[0], x.dtype()), mean), x) : Var()};
  }
};

}  // namespace

Var bce_with_logits(const Var& logits, const Var& targets) {
  const auto node = record<BceWithLogitsFunction>({logits, targets});
  if (node) {
    node->save(logits);
    node->save(targets);
  }
  return attach(node, kernels::bce_with_logits(logits.tensor(), targets.tensor()));
}

}  // namespace imago::ops
