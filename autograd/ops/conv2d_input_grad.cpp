#include "autograd/ops/conv2d_input_grad.h"

#include "autograd/function.h"
#include "autograd/ops/conv2d.h"
#include "autograd/ops/conv2d_weight_grad.h"

namespace imago::ops {
namespace {

class Conv2dInputGradFunction final : public Function {
 public:
  explicit Conv2dInputGradFunction(const Conv2dParams& params)
      : Function("conv2d_input_grad"), params_(params) {}
  Vars backward(const Vars& g) override {
    const Var y = saved(0), w = saved(1);
    return {needs_grad(0) ? conv2d(g[0], w, params_) : Var(),
            needs_grad(1) ? conv2d_weight_grad(g[0], y, w.size(1), w.size(2), params_) : Var()};
  }

 private:
  Conv2dParams params_;
};

}  // namespace

Var conv2d_input_grad(const Var& y, const Var& w, std::int64_t height, std::int64_t width,
                      const Conv2dParams& params) {
  const auto node = record<Conv2dInputGradFunction>({y, w}, params);
  if (node) {
    node->save(y);
    node->save(w);
  }
  return attach(node, kernels::conv2d_input_grad(y.tensor(), w.tensor(), height, width, params));
}

}  // namespace imago::ops
