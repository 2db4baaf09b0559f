#include "autograd/ops/max_pool2d.h"

#include "autograd/function.h"
#include "autograd/ops/max_pool2d_grad.h"

namespace imago::ops {
namespace {

class MaxPool2dFunction final : public Function {
 public:
  MaxPool2dFunction(std::int64_t height, std::int64_t width, const Pool2dParams& params)
      : Function("max_pool2d"), height_(height), width_(width), params_(params) {}
  Vars backward(const Vars& g) override {
    return {max_pool2d_grad(g[0], saved(0), height_, width_, params_)};
  }

 private:
  std::int64_t height_, width_;
  Pool2dParams params_;
};

}  // namespace

Var max_pool2d(const Var& x, const Pool2dParams& params) {
  auto [y, taps] = kernels::max_pool2d(x.tensor(), params, should_record({x}));  // validates x
  const auto node = record<MaxPool2dFunction>({x}, x.size(1), x.size(2), params);
  if (node) node->save(taps);
  return attach(node, std::move(y));
}

}  // namespace imago::ops
