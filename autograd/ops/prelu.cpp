#include "autograd/ops/prelu.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/prelu_factor.h"
#include "autograd/ops/prelu_slope_grad.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class PreluFunction final : public Function {
 public:
  PreluFunction() : Function("prelu") {}
  Vars backward(const Vars& g) override {
    const Var x = saved(0), slope = saved(1);
    return {needs_grad(0) ? mul(g[0], prelu_factor(x, slope)) : Var(),
            needs_grad(1) ? sum_to(prelu_slope_grad(g[0], x), slope.shape()) : Var()};
  }
};

}  // namespace

Var prelu(const Var& x, const Var& slope) {
  const auto node = record<PreluFunction>({x, slope});
  if (node) {
    node->save(x);
    node->save(slope);
  }
  return attach(node, kernels::prelu(x.tensor(), slope.tensor()));
}

}  // namespace imago::ops
