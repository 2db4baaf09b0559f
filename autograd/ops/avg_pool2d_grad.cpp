#include "autograd/ops/avg_pool2d_grad.h"

#include "autograd/function.h"
#include "autograd/ops/avg_pool2d.h"

namespace imago::ops {
namespace {

class AvgPool2dGradFunction final : public Function {
 public:
  explicit AvgPool2dGradFunction(const Pool2dParams& params)
      : Function("avg_pool2d_grad"), params_(params) {}
  Vars backward(const Vars& g) override { return {avg_pool2d(g[0], params_)}; }

 private:
  Pool2dParams params_;
};

}  // namespace

Var avg_pool2d_grad(const Var& dy, std::int64_t height, std::int64_t width,
                    const Pool2dParams& params) {
  const auto node = record<AvgPool2dGradFunction>({dy}, params);
  return attach(node, kernels::avg_pool2d_grad(dy.tensor(), height, width, params));
}

}  // namespace imago::ops
