#include "autograd/ops/avg_pool2d.h"

#include "autograd/function.h"
#include "autograd/ops/avg_pool2d_grad.h"

namespace imago::ops {
namespace {

class AvgPool2dFunction final : public Function {
 public:
  AvgPool2dFunction(std::int64_t height, std::int64_t width, const Pool2dParams& params)
      : Function("avg_pool2d"), height_(height), width_(width), params_(params) {}
  Vars backward(const Vars& g) override {
    return {avg_pool2d_grad(g[0], height_, width_, params_)};
  }

 private:
  std::int64_t height_, width_;
  Pool2dParams params_;
};

}  // namespace

Var avg_pool2d(const Var& x, const Pool2dParams& params) {
  Tensor y = kernels::avg_pool2d(x.tensor(), params);  // validates that x has rows and columns
  const auto node = record<AvgPool2dFunction>({x}, x.size(1), x.size(2), params);
  return attach(node, std::move(y));
}

}  // namespace imago::ops
