#include "autograd/ops/max_pool2d_pick.h"

#include "autograd/function.h"
#include "autograd/ops/max_pool2d_grad.h"

namespace imago::ops {
namespace {

class MaxPool2dPickFunction final : public Function {
 public:
  MaxPool2dPickFunction(std::int64_t height, std::int64_t width, const Pool2dParams& params)
      : Function("max_pool2d_pick"), height_(height), width_(width), params_(params) {}
  Vars backward(const Vars& g) override {
    return {max_pool2d_grad(g[0], saved(0), height_, width_, params_)};
  }

 private:
  std::int64_t height_, width_;
  Pool2dParams params_;
};

}  // namespace

Var max_pool2d_pick(const Var& x, const Var& taps, const Pool2dParams& params) {
  Tensor y = kernels::max_pool2d_pick(x.tensor(), taps.tensor(), params);  // validates x
  const auto node = record<MaxPool2dPickFunction>({x}, x.size(1), x.size(2), params);
  if (node) node->save(taps);
  return attach(node, std::move(y));
}

}  // namespace imago::ops
