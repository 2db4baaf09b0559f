#include "autograd/ops/relu_grad.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ReluGradFunction final : public Function {
 public:
  ReluGradFunction() : Function("relu_grad") {}
  Vars backward(const Vars& g) override {
    return {needs_grad(0) ? relu_grad(g[0], saved(0)) : Var(),
            Var()};  // flat in x but for the kink
  }
};

}  // namespace

Var relu_grad(const Var& dy, const Var& x) {
  const auto node = record<ReluGradFunction>({dy, x});
  if (node) node->save(x);
  return attach(node, kernels::relu_grad(dy.tensor(), x.tensor()));
}

}  // namespace imago::ops
