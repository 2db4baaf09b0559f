#include "autograd/ops/log_softmax_grad.h"

#include "autograd/function.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/softmax/softmax.h"

namespace imago::ops {
namespace {

class LogSoftmaxGradFunction final : public Function {
 public:
  explicit LogSoftmaxGradFunction(int axis) : Function("log_softmax_grad"), axis_(axis) {}
  Vars backward(const Vars& g) override {
    const Var dy = saved(0), weighted = mul(g[0], exp(saved(1)));
    Vars grads(2);
    if (needs_grad(0)) grads[0] = sub(g[0], sum(weighted, {axis_}, true));
    if (needs_grad(1)) grads[1] = neg(mul(weighted, sum(dy, {axis_}, true)));
    return grads;
  }

 private:
  int axis_;
};

}  // namespace

Var log_softmax_grad(const Var& dy, const Var& y, int axis) {
  const auto node = record<LogSoftmaxGradFunction>({dy, y}, axis);
  if (node) {
    node->save(dy);
    node->save(y);
  }
  return attach(node, kernels::log_softmax_grad(dy.tensor(), y.tensor(), axis));
}

}  // namespace imago::ops
