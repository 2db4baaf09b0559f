#include "autograd/ops/neg.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class NegFunction final : public Function {
 public:
  NegFunction() : Function("neg") {}
  Vars backward(const Vars& g) override { return {neg(g[0])}; }
};

}  // namespace

Var neg(const Var& x) {
  const auto node = record<NegFunction>({x});
  return attach(node, kernels::neg(x.tensor()));
}

}  // namespace imago::ops
