#include "autograd/ops/log_softmax.h"

#include "autograd/function.h"
#include "autograd/ops/log_softmax_grad.h"
#include "kernels/softmax/softmax.h"

namespace imago::ops {
namespace {

class LogSoftmaxFunction final : public Function {
 public:
  explicit LogSoftmaxFunction(int axis) : Function("log_softmax"), axis_(axis) {}
  Vars backward(const Vars& g) override { return {log_softmax_grad(g[0], saved(0), axis_)}; }

 private:
  int axis_;
};

}  // namespace

Var log_softmax(const Var& x, int axis) {
  const auto node = record<LogSoftmaxFunction>({x}, axis);
  Var y = attach(node, kernels::log_softmax(x.tensor(), axis));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
