#include "autograd/ops/reciprocal.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/square.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

// With y = 1 / x: dy/dx = -y^2.
class ReciprocalFunction final : public Function {
 public:
  ReciprocalFunction() : Function("reciprocal") {}
  Vars backward(const Vars& g) override { return {neg(mul(g[0], square(saved(0))))}; }
};

}  // namespace

Var reciprocal(const Var& x) {
  const auto node = record<ReciprocalFunction>({x});
  const Var y = attach(node, kernels::reciprocal(x.tensor()));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
