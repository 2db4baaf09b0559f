#include "autograd/ops/concat.h"

#include "autograd/function.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/slice.h"
#include "kernels/concat/concat.h"

namespace imago::ops {
namespace {

class ConcatFunction final : public Function {
 public:
  ConcatFunction(int axis, std::vector<std::int64_t> extents)
      : Function("concat"), axis_(axis), extents_(std::move(extents)) {}
  Vars backward(const Vars& g) override {
    Vars grads(extents_.size());
    std::int64_t at = 0;
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      if (needs_grad(static_cast<int>(i))) grads[i] = slice(g[0], axis_, at, at + extents_[i]);
      at += extents_[i];
    }
    return grads;
  }

 private:
  int axis_;
  std::vector<std::int64_t> extents_;
};

}  // namespace

Var concat(const Vars& parts, int axis) {
  std::vector<Tensor> tensors;
  for (const Var& part : parts) tensors.push_back(part.tensor());
  Tensor result = kernels::concat(tensors, axis);  // validates that every part has the axis
  std::vector<std::int64_t> extents;
  for (const Var& part : parts) extents.push_back(part.size(axis));
  const auto node = record<ConcatFunction>(parts, axis, std::move(extents));
  return attach(node, std::move(result));
}

Var stack(const Vars& parts, int axis) {
  Vars taller;
  for (const Var& part : parts) {
    const int at = axis < 0 ? axis + part.dim() + 1 : axis;
    check(part.shape() == parts[0].shape(), "stack", "parts of ", part.shape(), " and ",
          parts[0].shape(), " do not stand side by side");
    check(at >= 0 && at <= part.dim(), "stack", "there is no place ", axis,
          " for a new axis among those of ", part.shape());
    Shape with;
    for (int d = 0; d <= part.dim(); ++d) {
      if (d == at) with.append(1);
      if (d < part.dim()) with.append(part.size(d));
    }
    taller.push_back(reshape(part, with));
  }
  return concat(taller, axis);
}

}  // namespace imago::ops
