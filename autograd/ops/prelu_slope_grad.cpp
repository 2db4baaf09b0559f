#include "autograd/ops/prelu_slope_grad.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/relu_grad.h"
#include "autograd/ops/sub.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class PreluSlopeGradFunction final : public Function {
 public:
  PreluSlopeGradFunction() : Function("prelu_slope_grad") {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), x = saved(1);
    Var dx;
    if (needs_grad(1)) {
      const Var both_sides = mul(g[0], dy);
      dx = sub(both_sides, relu_grad(both_sides, x));
    }
    return {needs_grad(0) ? prelu_slope_grad(g[0], x) : Var(), dx};
  }
};

}  // namespace

Var prelu_slope_grad(const Var& dy, const Var& x) {
  const auto node = record<PreluSlopeGradFunction>({dy, x});
  if (node) {
    node->save(dy);
    node->save(x);
  }
  return attach(node, kernels::prelu_slope_grad(dy.tensor(), x.tensor()));
}

}  // namespace imago::ops
