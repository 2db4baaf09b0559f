#include "autograd/ops/scale.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ScaleFunction final : public Function {
 public:
  explicit ScaleFunction(double factor) : Function("scale"), factor_(factor) {}
  Vars backward(const Vars& g) override { return {scale(g[0], factor_)}; }

 private:
  double factor_;
};

}  // namespace

Var scale(const Var& x, double factor) {
  const auto node = record<ScaleFunction>({x}, factor);
  return attach(node, kernels::scale(x.tensor(), factor));
}

}  // namespace imago::ops
