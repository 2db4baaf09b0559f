#include "autograd/ops/dropout.h"

#include "autograd/function.h"
#include "kernels/random/random.h"

namespace imago::ops {
namespace {

class DropoutFunction final : public Function {
 public:
  DropoutFunction(double p, DrawKey key) : Function("dropout"), p_(p), key_(key) {}
  Vars backward(const Vars& g) override { return {dropout(g[0], p_, key_)}; }

 private:
  double p_;
  DrawKey key_;
};

}  // namespace

Var dropout(const Var& x, double p, DrawKey key) {
  const auto node = record<DropoutFunction>({x}, p, key);
  return attach(node, kernels::dropout(x.tensor(), p, key));
}

}  // namespace imago::ops
