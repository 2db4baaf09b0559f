#include "autograd/ops/sigmoid_grad.h"

#include "autograd/function.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SigmoidGradFunction final : public Function {
 public:
  SigmoidGradFunction() : Function("sigmoid_grad") {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), y = saved(1);
    return {needs_grad(0) ? sigmoid_grad(g[0], y) : Var(),
            needs_grad(1) ? mul(mul(g[0], dy), add_scalar(scale(y, -2.0), 1.0)) : Var()};
  }
};

}  // namespace

Var sigmoid_grad(const Var& dy, const Var& y) {
  const auto node = record<SigmoidGradFunction>({dy, y});
  if (node) {
    node->save(dy);
    node->save(y);
  }
  return attach(node, kernels::sigmoid_grad(dy.tensor(), y.tensor()));
}

}  // namespace imago::ops
