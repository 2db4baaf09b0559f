#include "autograd/ops/silu_grad.h"

#include "autograd/function.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/sigmoid_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

// The slope s + x s (1 - s) has the derivative s (1 - s) (2 + x (1 - 2 s)).
class SiluGradFunction final : public Function {
 public:
  SiluGradFunction() : Function("silu_grad") {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), x = saved(1);
    Var dx;
    if (needs_grad(1)) {
      const Var s = sigmoid(x);
      const Var factor = add_scalar(mul(x, add_scalar(scale(s, -2), 1)), 2);
      dx = mul(sigmoid_grad(mul(g[0], dy), s), factor);
    }
    return {needs_grad(0) ? silu_grad(g[0], x) : Var(), dx};
  }
};

}  // namespace

Var silu_grad(const Var& dy, const Var& x) {
  const auto node = record<SiluGradFunction>({dy, x});
  if (node) {
    node->save(dy);
    node->save(x);
  }
  return attach(node, kernels::silu_grad(dy.tensor(), x.tensor()));
}

}  // namespace imago::ops
