#include "autograd/ops/rsqrt.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

// With y = x^(-1/2): dy/dx = -y^3 / 2.
class RsqrtFunction final : public Function {
 public:
  RsqrtFunction() : Function("rsqrt") {}
  Vars backward(const Vars& g) override {
    const Var y = saved(0);
    return {scale(mul(mul(g[0], y), square(y)), -0.5)};
  }
};

}  // namespace

Var rsqrt(const Var& x) {
  const auto node = record<RsqrtFunction>({x});
  const Var y = attach(node, kernels::rsqrt(x.tensor()));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
