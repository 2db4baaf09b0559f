#include "autograd/ops/relu.h"

#include "autograd/function.h"
#include "autograd/ops/relu_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ReluFunction final : public Function {
 public:
  ReluFunction() : Function("relu") {}
  Vars backward(const Vars& g) override { return {relu_grad(g[0], saved(0))}; }
};

}  // namespace

Var relu(const Var& x) {
  const auto node = record<ReluFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::relu(x.tensor()));
}

}  // namespace imago::ops
