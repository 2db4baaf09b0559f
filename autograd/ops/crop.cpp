#include "autograd/ops/crop.h"

#include "autograd/function.h"
#include "autograd/ops/pad.h"
#include "kernels/pad/pad.h"

namespace imago::ops {
namespace {

class CropFunction final : public Function {
 public:
  explicit CropFunction(const Padding& border) : Function("crop"), border_(border) {}
  Vars backward(const Vars& g) override { return {pad(g[0], border_)}; }

 private:
  Padding border_;  // what was taken away
};

}  // namespace

Var crop(const Var& x, std::int64_t top, std::int64_t left, std::int64_t height,
         std::int64_t width) {
  Tensor result = kernels::crop(x.tensor(), top, left, height, width);  // validates the window
  const auto node = record<CropFunction>(
      {x}, Padding{static_cast<int>(top), static_cast<int>(x.size(1) - top - height),
                   static_cast<int>(left), static_cast<int>(x.size(2) - left - width)});
  return attach(node, std::move(result));
}

}  // namespace imago::ops
