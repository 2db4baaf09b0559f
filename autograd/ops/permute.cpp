#include "autograd/ops/permute.h"

#include "autograd/function.h"
#include "kernels/permute/permute.h"

namespace imago::ops {
namespace {

class PermuteFunction final : public Function {
 public:
  explicit PermuteFunction(std::vector<int> inverse)
      : Function("permute"), inverse_(std::move(inverse)) {}
  Vars backward(const Vars& g) override { return {permute(g[0], inverse_)}; }

 private:
  std::vector<int> inverse_;
};

}  // namespace

Var permute(const Var& x, const std::vector<int>& order) {
  Tensor result = kernels::permute(x.tensor(), order);  // validates the order
  std::vector<int> inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int axis = order[i] < 0 ? order[i] + x.dim() : order[i];
    inverse[static_cast<std::size_t>(axis)] = static_cast<int>(i);
  }
  const auto node = record<PermuteFunction>({x}, std::move(inverse));
  return attach(node, std::move(result));
}

Var transpose(const Var& x, int axis_a, int axis_b) {
  const int a = axis_a < 0 ? axis_a + x.dim() : axis_a;
  const int b = axis_b < 0 ? axis_b + x.dim() : axis_b;
  check(a >= 0 && a < x.dim() && b >= 0 && b < x.dim(), "transpose", "axes ", axis_a, " and ",
        axis_b, " do not both exist in ", x.shape());
  std::vector<int> order;
  for (int axis = 0; axis < x.dim(); ++axis) order.push_back(axis == a ? b : axis == b ? a : axis);
  return permute(x, order);
}

}  // namespace imago::ops
