#include "autograd/ops/tanh.h"

#include "autograd/function.h"
#include "autograd/ops/tanh_grad.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class TanhFunction final : public Function {
 public:
  TanhFunction() : Function("tanh") {}
  Vars backward(const Vars& g) override { return {tanh_grad(g[0], saved(0))}; }
};

}  // namespace

Var tanh(const Var& x) {
  const auto node = record<TanhFunction>({x});
  const Var y = attach(node, kernels::tanh(x.tensor()));
  if (node) node->save_output(y);
  return y;
}

}  // namespace imago::ops
