#include "autograd/ops/mul.h"

#include "autograd/function.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class MulFunction final : public Function {
 public:
  MulFunction() : Function("mul") {}
  Vars backward(const Vars& g) override {
    const Var a = saved(0), b = saved(1);
    return {needs_grad(0) ? sum_to(mul(g[0], b), a.shape()) : Var(),
            needs_grad(1) ? sum_to(mul(g[0], a), b.shape()) : Var()};
  }
};

}  // namespace

Var mul(const Var& a, const Var& b) {
  const auto node = record<MulFunction>({a, b});
  if (node) {
    node->save(a);
    node->save(b);
  }
  return attach(node, kernels::mul(a.tensor(), b.tensor()));
}

}  // namespace imago::ops
