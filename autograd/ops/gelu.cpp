#include "autograd/ops/gelu.h"

#include "autograd/function.h"
#include "autograd/ops/gelu_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class GeluFunction final : public Function {
 public:
  explicit GeluFunction(Gelu form) : Function("gelu"), form_(form) {}
  Vars backward(const Vars& g) override { return {gelu_grad(g[0], saved(0), form_)}; }

 private:
  Gelu form_;
};

}  // namespace

Var gelu(const Var& x, Gelu form) {
  const auto node = record<GeluFunction>({x}, form);
  if (node) node->save(x);
  return attach(node, kernels::gelu(x.tensor(), form));
}

}  // namespace imago::ops
