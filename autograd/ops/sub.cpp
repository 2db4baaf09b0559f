#include "autograd/ops/sub.h"

#include "autograd/function.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SubFunction final : public Function {
 public:
  SubFunction(Shape a, Shape b) : Function("sub"), a_(a), b_(b) {}
  Vars backward(const Vars& g) override {
    return {needs_grad(0) ? sum_to(g[0], a_) : Var(),
            needs_grad(1) ? neg(sum_to(g[0], b_)) : Var()};
  }

 private:
  Shape a_, b_;
};

}  // namespace

Var sub(const Var& a, const Var& b) {
  const auto node = record<SubFunction>({a, b}, a.shape(), b.shape());
  return attach(node, kernels::sub(a.tensor(), b.tensor()));
}

}  // namespace imago::ops
