#include "autograd/ops/clamp_grad.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ClampGradFunction final : public Function {
 public:
  explicit ClampGradFunction(const Bounds& bounds) : Function("clamp_grad"), bounds_(bounds) {}
  Vars backward(const Vars& g) override {
    return {needs_grad(0) ? clamp_grad(g[0], saved(0), bounds_) : Var(),
            Var()};  // flat in x but for the bounds
  }

 private:
  Bounds bounds_;
};

}  // namespace

Var clamp_grad(const Var& dy, const Var& x, const Bounds& bounds) {
  const auto node = record<ClampGradFunction>({dy, x}, bounds);
  if (node) node->save(x);
  return attach(node, kernels::clamp_grad(dy.tensor(), x.tensor(), bounds));
}

}  // namespace imago::ops
