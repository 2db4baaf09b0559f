#include "autograd/ops/max_pool2d_grad.h"

#include "autograd/function.h"
#include "autograd/ops/max_pool2d_pick.h"

namespace imago::ops {
namespace {

class MaxPool2dGradFunction final : public Function {
 public:
  explicit MaxPool2dGradFunction(const Pool2dParams& params)
      : Function("max_pool2d_grad"), params_(params) {}
  Vars backward(const Vars& g) override { return {max_pool2d_pick(g[0], saved(0), params_)}; }

 private:
  Pool2dParams params_;
};

}  // namespace

Var max_pool2d_grad(const Var& dy, const Var& taps, std::int64_t height, std::int64_t width,
                    const Pool2dParams& params) {
  const auto node = record<MaxPool2dGradFunction>({dy}, params);
  if (node) node->save(taps);
  return attach(node, kernels::max_pool2d_grad(dy.tensor(), taps.tensor(), height, width, params));
}

}  // namespace imago::ops
