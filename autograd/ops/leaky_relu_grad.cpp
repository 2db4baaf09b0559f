#include "autograd/ops/leaky_relu_grad.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class LeakyReluGradFunction final : public Function {
 public:
  explicit LeakyReluGradFunction(double slope) : Function("leaky_relu_grad"), slope_(slope) {}
  Vars backward(const Vars& g) override {
    return {needs_grad(0) ? leaky_relu_grad(g[0], saved(0), slope_) : Var(),
            Var()};  // flat in x but for the kink
  }

 private:
  double slope_;
};

}  // namespace

Var leaky_relu_grad(const Var& dy, const Var& x, double slope) {
  const auto node = record<LeakyReluGradFunction>({dy, x}, slope);
  if (node) node->save(x);
  return attach(node, kernels::leaky_relu_grad(dy.tensor(), x.tensor(), slope));
}

}  // namespace imago::ops
