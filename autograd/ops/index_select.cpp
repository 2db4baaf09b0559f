#include "autograd/ops/index_select.h"

#include "autograd/function.h"
#include "autograd/ops/index_add.h"
#include "kernels/gather/gather.h"

namespace imago::ops {
namespace {

class IndexSelectFunction final : public Function {
 public:
  IndexSelectFunction(int axis, std::int64_t extent)
      : Function("index_select"), axis_(axis), extent_(extent) {}
  Vars backward(const Vars& g) override {
    return {index_add(g[0], axis_, saved(0).tensor(), extent_)};
  }

 private:
  int axis_;  // from the outermost
  std::int64_t extent_;
};

}  // namespace

Var index_select(const Var& x, int axis, const Tensor& indices) {
  Tensor result = kernels::index_select(x.tensor(), axis, indices);  // validates the axis
  const auto node =
      record<IndexSelectFunction>({x}, axis < 0 ? axis + x.dim() : axis, x.size(axis));
  if (node) node->save(indices);
  return attach(node, std::move(result));
}

}  // namespace imago::ops
