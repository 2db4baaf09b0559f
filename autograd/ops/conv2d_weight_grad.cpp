#include "autograd/ops/conv2d_weight_grad.h"

#include "autograd/function.h"
#include "autograd/ops/conv2d.h"
#include "autograd/ops/conv2d_input_grad.h"

namespace imago::ops {
namespace {

class Conv2dWeightGradFunction final : public Function {
 public:
  explicit Conv2dWeightGradFunction(const Conv2dParams& params)
      : Function("conv2d_weight_grad"), params_(params) {}
  Vars backward(const Vars& g) override {
    const Var x = saved(0), y = saved(1);
    return {needs_grad(0) ? conv2d_input_grad(y, g[0], x.size(1), x.size(2), params_) : Var(),
            needs_grad(1) ? conv2d(x, g[0], params_) : Var()};
  }

 private:
  Conv2dParams params_;
};

}  // namespace

Var conv2d_weight_grad(const Var& x, const Var& y, std::int64_t kernel_h, std::int64_t kernel_w,
                       const Conv2dParams& params) {
  const auto node = record<Conv2dWeightGradFunction>({x, y}, params);
  if (node) {
    node->save(x);
    node->save(y);
  }
  return attach(node, kernels::conv2d_weight_grad(x.tensor(), y.tensor(), kernel_h, kernel_w,
                                                  params, x.dtype()));
}

}  // namespace imago::ops
