#include "autograd/ops/square.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class SquareFunction final : public Function {
 public:
  SquareFunction() : Function("square") {}
  Vars backward(const Vars& g) override { return {scale(mul(g[0], saved(0)), 2.0)}; }
};

}  // namespace

Var square(const Var& x) {
  const auto node = record<SquareFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::square(x.tensor()));
}

}  // namespace imago::ops
