#include "autograd/ops/conv2d.h"

#include "autograd/function.h"
#include "autograd/ops/conv2d_input_grad.h"
#include "autograd/ops/conv2d_weight_grad.h"

namespace imago::ops {
namespace {

class Conv2dFunction final : public Function {
 public:
  explicit Conv2dFunction(const Conv2dParams& params) : Function("conv2d"), params_(params) {}
  Vars backward(const Vars& g) override {
    const Var x = saved(0), w = saved(1);
    return {needs_grad(0) ? conv2d_input_grad(g[0], w, x.size(1), x.size(2), params_) : Var(),
            needs_grad(1) ? conv2d_weight_grad(x, g[0], w.size(1), w.size(2), params_) : Var()};
  }

 private:
  Conv2dParams params_;
};

}  // namespace

Var conv2d(const Var& x, const Var& w, const Conv2dParams& params) {
  const auto node = record<Conv2dFunction>({x, w}, params);
  if (node) {
    node->save(x);
    node->save(w);
  }
  return attach(node, kernels::conv2d(x.tensor(), w.tensor(), params));
}

}  // namespace imago::ops
