#include "autograd/ops/flip.h"

#include "autograd/function.h"
#include "kernels/pad/pad.h"

namespace imago::ops {
namespace {

class FlipFunction final : public Function {
 public:
  explicit FlipFunction(int axis) : Function("flip"), axis_(axis) {}
  Vars backward(const Vars& g) override { return {flip(g[0], axis_)}; }

 private:
  int axis_;
};

}  // namespace

Var flip(const Var& x, int axis) {
  const auto node = record<FlipFunction>({x}, axis);
  return attach(node, kernels::flip(x.tensor(), axis));
}

}  // namespace imago::ops
