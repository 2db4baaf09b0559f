#include "autograd/ops/add.h"

#include "autograd/function.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class AddFunction final : public Function {
 public:
  AddFunction(Shape a, Shape b) : Function("add"), a_(a), b_(b) {}
  Vars backward(const Vars& g) override {
    return {needs_grad(0) ? sum_to(g[0], a_) : Var(), needs_grad(1) ? sum_to(g[0], b_) : Var()};
  }

 private:
  Shape a_, b_;
};

}  // namespace

Var add(const Var& a, const Var& b) {
  const auto node = record<AddFunction>({a, b}, a.shape(), b.shape());
  return attach(node, kernels::add(a.tensor(), b.tensor()));
}

}  // namespace imago::ops
