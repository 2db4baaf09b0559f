#include "autograd/ops/softmax_grad.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/softmax/softmax.h"

namespace imago::ops {
namespace {

class SoftmaxGradFunction final : public Function {
 public:
  explicit SoftmaxGradFunction(int axis) : Function("softmax_grad"), axis_(axis) {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), y = saved(1);
    const auto along = [this](const Var& a, const Var& b) { return sum(mul(a, b), {axis_}, true); };
    Vars grads(2);
    // The Jacobian of softmax is symmetric.
    if (needs_grad(0)) grads[0] = softmax_grad(g[0], y, axis_);
    if (needs_grad(1)) {
      const Var direct = mul(g[0], sub(dy, along(dy, y)));
      grads[1] = sub(direct, mul(dy, along(g[0], y)));
    }
    return grads;
  }

 private:
  int axis_;
};

}  // namespace

Var softmax_grad(const Var& dy, const Var& y, int axis) {
  const auto node = record<SoftmaxGradFunction>({dy, y}, axis);
  if (node) {
    node->save(dy);
    node->save(y);
  }
  return attach(node, kernels::softmax_grad(dy.tensor(), y.tensor(), axis));
}

}  // namespace imago::ops
