#include "autograd/ops/sum_to.h"

#include "autograd/function.h"
#include "autograd/ops/broadcast_to.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "kernels/reduce/reduce.h"

namespace imago::ops {
namespace {

class SumToFunction final : public Function {
 public:
  explicit SumToFunction(Shape from) : Function("sum_to"), from_(from) {}
  Vars backward(const Vars& g) override { return {broadcast_to(g[0], from_)}; }

 private:
  Shape from_;
};

}  // namespace

Var sum_to(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const auto node = record<SumToFunction>({x}, x.shape());
  return attach(node, kernels::sum_to(x.tensor(), shape));
}

Var sum(const Var& x) {
  return sum_to(x, Shape{});
}

Var mean(const Var& x) {
  return scale(sum(x), 1.0 / static_cast<double>(x.numel()));
}

Var sum(const Var& x, const kernels::AxisList& axes, bool keepdim) {
  const Shape kept = kernels::reduced_shape("sum", x.shape(), axes, true);
  return reshape(sum_to(x, kept), kernels::reduced_shape("sum", x.shape(), axes, keepdim));
}

Var mean(const Var& x, const kernels::AxisList& axes, bool keepdim) {
  const auto terms = static_cast<double>(kernels::reduced_terms("mean", x.shape(), axes));
  return scale(sum(x, axes, keepdim), 1.0 / terms);
}

}  // namespace imago::ops
