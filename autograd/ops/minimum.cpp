#include "autograd/ops/minimum.h"

#include "autograd/function.h"
#include "autograd/ops/compare.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class MinimumFunction final : public Function {
 public:
  MinimumFunction() : Function("minimum") {}
  Vars backward(const Vars& g) override {
    const Var a = saved(0), b = saved(1);
    const Var to_a = mul(g[0], greater_share(b, a));
    return {needs_grad(0) ? sum_to(to_a, a.shape()) : Var(),
            needs_grad(1) ? sum_to(sub(g[0], to_a), b.shape()) : Var()};
  }
};

}  // namespace

Var minimum(const Var& a, const Var& b) {
  const auto node = record<MinimumFunction>({a, b});
  if (node) {
    node->save(a);
    node->save(b);
  }
  return attach(node, kernels::minimum(a.tensor(), b.tensor()));
}

}  // namespace imago::ops
