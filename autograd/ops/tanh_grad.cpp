#include "autograd/ops/tanh_grad.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class TanhGradFunction final : public Function {
 public:
  TanhGradFunction() : Function("tanh_grad") {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), y = saved(1);
    return {needs_grad(0) ? tanh_grad(g[0], y) : Var(),
            needs_grad(1) ? scale(mul(g[0], mul(dy, y)), -2.0) : Var()};
  }
};

}  // namespace

Var tanh_grad(const Var& dy, const Var& y) {
  const auto node = record<TanhGradFunction>({dy, y});
  if (node) {
    node->save(dy);
    node->save(y);
  }
  return attach(node, kernels::tanh_grad(dy.tensor(), y.tensor()));
}

}  // namespace imago::ops
