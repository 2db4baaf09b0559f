#include "autograd/ops/exp.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ExpFunction final : public Function {
 public:
  ExpFunction() : Function("exp") {}
  Vars backward(const Vars& g) override { return {mul(g[0], saved(0))}; }
};

}  // namespace

Var exp(const Var& x) {
  const auto node = record<ExpFunction>({x});
  const Var y = attach(node, kernels::exp(x.tensor()));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
