#include "autograd/ops/softplus.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sigmoid.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SoftplusFunction final : public Function {
 public:
  SoftplusFunction() : Function("softplus") {}
  Vars backward(const Vars& g) override { return {mul(g[0], sigmoid(saved(0)))}; }
};

}  // namespace

Var softplus(const Var& x) {
  const auto node = record<SoftplusFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::softplus(x.tensor()));
}

}  // namespace imago::ops
