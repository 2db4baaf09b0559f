#include "autograd/ops/sqrt.h"

#include "autograd/function.h"
#include "autograd/ops/div.h"
#include "autograd/ops/scale.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SqrtFunction final : public Function {
 public:
  SqrtFunction() : Function("sqrt") {}
  Vars backward(const Vars& g) override { return {scale(div(g[0], saved(0)), 0.5)}; }
};

}  // namespace

Var sqrt(const Var& x) {
  const auto node = record<SqrtFunction>({x});
  const Var y = attach(node, kernels::sqrt(x.tensor()));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
