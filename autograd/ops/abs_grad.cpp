#include "autograd/ops/abs_grad.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class AbsGradFunction final : public Function {
 public:
  AbsGradFunction() : Function("abs_grad") {}
  Vars backward(const Vars& g) override {
    return {needs_grad(0) ? abs_grad(g[0], saved(0)) : Var(), Var()};  // flat in x but for the kink
  }
};

}  // namespace

Var abs_grad(const Var& dy, const Var& x) {
  const auto node = record<AbsGradFunction>({dy, x});
  if (node) node->save(x);
  return attach(node, kernels::abs_grad(dy.tensor(), x.tensor()));
}

}  // namespace imago::ops
