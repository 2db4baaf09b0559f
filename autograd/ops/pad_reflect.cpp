#include "autograd/ops/pad_reflect.h"

#include "autograd/function.h"
#include "autograd/ops/pad_reflect_grad.h"
#include "kernels/pad/pad.h"

namespace imago::ops {
namespace {

class PadReflectFunction final : public Function {
 public:
  explicit PadReflectFunction(const Padding& pad) : Function("pad_reflect"), pad_(pad) {}
  Vars backward(const Vars& g) override { return {pad_reflect_grad(g[0], pad_)}; }

 private:
  Padding pad_;
};

}  // namespace

Var pad_reflect(const Var& x, const Padding& pad) {
  const auto node = record<PadReflectFunction>({x}, pad);
  return attach(node, kernels::pad_reflect(x.tensor(), pad));
}

}  // namespace imago::ops
