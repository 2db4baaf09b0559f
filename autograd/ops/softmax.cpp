#include "autograd/ops/softmax.h"

#include "autograd/function.h"
#include "autograd/ops/softmax_grad.h"
#include "kernels/softmax/softmax.h"

namespace imago::ops {
namespace {

class SoftmaxFunction final : public Function {
 public:
  explicit SoftmaxFunction(int axis) : Function("softmax"), axis_(axis) {}
  Vars backward(const Vars& g) override { return {softmax_grad(g[0], saved(0), axis_)}; }

 private:
  int axis_;
};

}  // namespace

Var softmax(const Var& x, int axis) {
  const auto node = record<SoftmaxFunction>({x}, axis);
  Var y = attach(node, kernels::softmax(x.tensor(), axis));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
