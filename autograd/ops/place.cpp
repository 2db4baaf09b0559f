#include "autograd/ops/place.h"

#include "autograd/function.h"
#include "autograd/ops/slice.h"
#include "kernels/concat/concat.h"

namespace imago::ops {
namespace {

class PlaceFunction final : public Function {
 public:
  PlaceFunction(int axis, std::int64_t begin, std::int64_t end)
      : Function("place"), axis_(axis), begin_(begin), end_(end) {}
  Vars backward(const Vars& g) override { return {slice(g[0], axis_, begin_, end_)}; }

 private:
  int axis_;
  std::int64_t begin_, end_;
};

}  // namespace

Var place(const Var& x, int axis, std::int64_t begin, std::int64_t extent) {
  Tensor result = kernels::place(x.tensor(), axis, begin, extent);  // validates the axis
  const auto node = record<PlaceFunction>({x}, axis, begin, begin + x.size(axis));
  return attach(node, std::move(result));
}

}  // namespace imago::ops
