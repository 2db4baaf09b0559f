#include "autograd/ops/div.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

// With y = a / b: dy/da = 1 / b and dy/db = -y / b.
class DivFunction final : public Function {
 public:
  explicit DivFunction(Shape a) : Function("div"), a_(a) {}
  Vars backward(const Vars& g) override {
    const Var b = saved(0), y = saved(1);
    const Var q = div(g[0], b);
    return {needs_grad(0) ? sum_to(q, a_) : Var(),
            needs_grad(1) ? neg(sum_to(mul(q, y), b.shape())) : Var()};
  }

 private:
  Shape a_;
};

}  // namespace

Var div(const Var& a, const Var& b) {
  const auto node = record<DivFunction>({a, b}, a.shape());
  const Var y = attach(node, kernels::div(a.tensor(), b.tensor()));
  if (node) {
    node->save(b);
    node->save_output(y);
  }
  return y;
}

}  // namespace imago::ops
