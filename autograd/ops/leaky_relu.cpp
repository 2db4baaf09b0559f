#include "autograd/ops/leaky_relu.h"

#include "autograd/function.h"
#include "autograd/ops/leaky_relu_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class LeakyReluFunction final : public Function {
 public:
  explicit LeakyReluFunction(double slope) : Function("leaky_relu"), slope_(slope) {}
  Vars backward(const Vars& g) override { return {leaky_relu_grad(g[0], saved(0), slope_)}; }

 private:
  double slope_;
};

}  // namespace

Var leaky_relu(const Var& x, double slope) {
  const auto node = record<LeakyReluFunction>({x}, slope);
  if (node) node->save(x);
  return attach(node, kernels::leaky_relu(x.tensor(), slope));
}

}  // namespace imago::ops
