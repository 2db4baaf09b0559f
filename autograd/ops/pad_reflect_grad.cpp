#include "autograd/ops/pad_reflect_grad.h"

#include "autograd/function.h"
#include "autograd/ops/pad_reflect.h"
#include "kernels/pad/pad.h"

namespace imago::ops {
namespace {

class PadReflectGradFunction final : public Function {
 public:
  explicit PadReflectGradFunction(const Padding& pad) : Function("pad_reflect_grad"), pad_(pad) {}
  Vars backward(const Vars& g) override { return {pad_reflect(g[0], pad_)}; }

 private:
  Padding pad_;
};

}  // namespace

Var pad_reflect_grad(const Var& dy, const Padding& pad) {
  const auto node = record<PadReflectGradFunction>({dy}, pad);
  return attach(node, kernels::pad_reflect_grad(dy.tensor(), pad));
}

}  // namespace imago::ops
