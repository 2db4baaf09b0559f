#include "autograd/ops/broadcast_to.h"

#include "autograd/function.h"
#include "autograd/ops/sum_to.h"
#include "kernels/reduce/reduce.h"

namespace imago::ops {
namespace {

class BroadcastToFunction final : public Function {
 public:
  explicit BroadcastToFunction(Shape from) : Function("broadcast_to"), from_(from) {}
  Vars backward(const Vars& g) override { return {sum_to(g[0], from_)}; }

 private:
  Shape from_;
};

}  // namespace

Var broadcast_to(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const auto node = record<BroadcastToFunction>({x}, x.shape());
  return attach(node, kernels::broadcast_to(x.tensor(), shape));
}

}  // namespace imago::ops
