#include "autograd/ops/sigmoid.h"

#include "autograd/function.h"
#include "autograd/ops/sigmoid_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SigmoidFunction final : public Function {
 public:
  SigmoidFunction() : Function("sigmoid") {}
  Vars backward(const Vars& g) override { return {sigmoid_grad(g[0], saved(0))}; }
};

}  // namespace

Var sigmoid(const Var& x) {
  const auto node = record<SigmoidFunction>({x});
  const Var y = attach(node, kernels::sigmoid(x.tensor()));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
