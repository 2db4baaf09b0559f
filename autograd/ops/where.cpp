#include "autograd/ops/where.h"

#include "autograd/function.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class WhereFunction final : public Function {
 public:
  WhereFunction(Shape a, Shape b) : Function("where"), a_(a), b_(b) {}
  Vars backward(const Vars& g) override {
    const Tensor mask = saved(0).tensor();
    const Var zero(kernels::full({}, 0, g[0].dtype(), g[0].device()));
    return {needs_grad(0) ? sum_to(where(mask, g[0], zero), a_) : Var(),
            needs_grad(1) ? sum_to(where(mask, zero, g[0]), b_) : Var()};
  }

 private:
  Shape a_, b_;
};

}  // namespace

Var where(const Tensor& mask, const Var& a, const Var& b) {
  const auto node = record<WhereFunction>({a, b}, a.shape(), b.shape());
  if (node) node->save(mask);
  return attach(node, kernels::where(mask, a.tensor(), b.tensor()));
}

}  // namespace imago::ops
