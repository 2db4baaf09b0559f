#include "autograd/ops/erf.h"

#include <numbers>

#include "autograd/function.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class ErfFunction final : public Function {
 public:
  ErfFunction() : Function("erf") {}
  Vars backward(const Vars& g) override {
    return {mul(g[0], scale(exp(neg(square(saved(0)))), 2 * std::numbers::inv_sqrtpi))};
  }
};

}  // namespace

Var erf(const Var& x) {
  const auto node = record<ErfFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::erf(x.tensor()));
}

}  // namespace imago::ops
