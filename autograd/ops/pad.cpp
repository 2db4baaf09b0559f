#include "autograd/ops/pad.h"

#include "autograd/function.h"
#include "autograd/ops/crop.h"
#include "kernels/pad/pad.h"

namespace imago::ops {
namespace {

class PadFunction final : public Function {
 public:
  PadFunction(const Padding& pad, std::int64_t height, std::int64_t width)
      : Function("pad"), pad_(pad), height_(height), width_(width) {}
  Vars backward(const Vars& g) override {
    return {crop(g[0], pad_.top, pad_.left, height_, width_)};
  }

 private:
  Padding pad_;
  std::int64_t height_, width_;
};

}  // namespace

Var pad(const Var& x, const Padding& pad, double value) {
  Tensor result = kernels::pad(x.tensor(), pad, value);  // validates that x has rows and columns
  const auto node = record<PadFunction>({x}, pad, x.size(1), x.size(2));
  return attach(node, std::move(result));
}

}  // namespace imago::ops
