#include "autograd/ops/abs.h"

#include "autograd/function.h"
#include "autograd/ops/abs_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class AbsFunction final : public Function {
 public:
  AbsFunction() : Function("abs") {}
  Vars backward(const Vars& g) override { return {abs_grad(g[0], saved(0))}; }
};

}  // namespace

Var abs(const Var& x) {
  const auto node = record<AbsFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::abs(x.tensor()));
}

}  // namespace imago::ops
