#include "autograd/ops/reshape.h"

#include "autograd/function.h"

namespace imago::ops {
namespace {

class ReshapeFunction final : public Function {
 public:
  explicit ReshapeFunction(Shape from) : Function("reshape"), from_(from) {}
  Vars backward(const Vars& g) override { return {reshape(g[0], from_)}; }

 private:
  Shape from_;
};

Var reshaped(const Var& x, Tensor result) {
  const auto node = record<ReshapeFunction>({x}, x.shape());
  return attach(node, std::move(result));
}

}  // namespace

Var reshape(const Var& x, const Shape& shape) {
  return reshaped(x, x.tensor().reshape(shape));
}

Var reshape(const Var& x, std::initializer_list<std::int64_t> extents) {
  return reshaped(x, x.tensor().reshape(extents));
}

}  // namespace imago::ops
