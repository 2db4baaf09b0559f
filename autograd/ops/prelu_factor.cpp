#include "autograd/ops/prelu_factor.h"

#include "autograd/function.h"
#include "autograd/ops/relu_grad.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class PreluFactorFunction final : public Function {
 public:
  explicit PreluFactorFunction(Shape slope) : Function("prelu_factor"), slope_(slope) {}
  Vars backward(const Vars& g) override {
    // Flat in x but for the kink.
    return {Var(), needs_grad(1) ? sum_to(sub(g[0], relu_grad(g[0], saved(0))), slope_) : Var()};
  }

 private:
  Shape slope_;
};

}  // namespace

Var prelu_factor(const Var& x, const Var& slope) {
  const auto node = record<PreluFactorFunction>({x, slope}, slope.shape());
  if (node) node->save(x);
  return attach(node, kernels::prelu_factor(x.tensor(), slope.tensor()));
}

}  // namespace imago::ops
