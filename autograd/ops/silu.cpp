#include "autograd/ops/silu.h"

#include "autograd/function.h"
#include "autograd/ops/silu_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SiluFunction final : public Function {
 public:
  SiluFunction() : Function("silu") {}
  Vars backward(const Vars& g) override { return {silu_grad(g[0], saved(0))}; }
};

}  // namespace

Var silu(const Var& x) {
  const auto node = record<SiluFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::silu(x.tensor()));
}

}  // namespace imago::ops
