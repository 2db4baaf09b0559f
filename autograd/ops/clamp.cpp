#include "autograd/ops/clamp.h"

#include "autograd/function.h"
#include "autograd/ops/clamp_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ClampFunction final : public Function {
 public:
  explicit ClampFunction(const Bounds& bounds) : Function("clamp"), bounds_(bounds) {}
  Vars backward(const Vars& g) override { return {clamp_grad(g[0], saved(0), bounds_)}; }

 private:
  Bounds bounds_;
};

}  // namespace

Var clamp(const Var& x, const Bounds& bounds) {
  const auto node = record<ClampFunction>({x}, bounds);
  if (node) node->save(x);
  return attach(node, kernels::clamp(x.tensor(), bounds));
}

}  // namespace imago::ops
