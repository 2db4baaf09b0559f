#include "autograd/ops/slice.h"

#include "autograd/function.h"
#include "autograd/ops/place.h"
#include "kernels/concat/concat.h"

namespace imago::ops {
namespace {

class SliceFunction final : public Function {
 public:
  SliceFunction(int axis, std::int64_t begin, std::int64_t extent)
      : Function("slice"), axis_(axis), begin_(begin), extent_(extent) {}
  Vars backward(const Vars& g) override { return {place(g[0], axis_, begin_, extent_)}; }

 private:
  int axis_;
  std::int64_t begin_, extent_;
};

}  // namespace

Var slice(const Var& x, std::int64_t begin, std::int64_t end) {
  return slice(x, 0, begin, end);
}

Var slice(const Var& x, int axis, std::int64_t begin, std::int64_t end) {
  Tensor result = kernels::slice(x.tensor(), axis, begin, end);  // validates the axis
  const auto node = record<SliceFunction>({x}, axis, begin, x.size(axis));
  return attach(node, std::move(result));
}

Vars split(const Var& x, int axis, const std::vector<std::int64_t>& extents) {
  std::int64_t total = 0;
  for (const std::int64_t extent : extents) total += extent;
  check(total == x.size(axis), "split", "the parts have ", total, " elements along axis ", axis,
        " but ", x.shape(), " has ", x.size(axis));
  Vars parts;
  std::int64_t at = 0;
  for (const std::int64_t extent : extents) {
    parts.push_back(slice(x, axis, at, at + extent));
    at += extent;
  }
  return parts;
}

}  // namespace imago::ops
