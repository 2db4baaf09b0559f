#include "autograd/ops/index_add.h"

#include "autograd/function.h"
#include "autograd/ops/index_select.h"
#include "kernels/gather/gather.h"

namespace imago::ops {
namespace {

class IndexAddFunction final : public Function {
 public:
  explicit IndexAddFunction(int axis) : Function("index_add"), axis_(axis) {}
  Vars backward(const Vars& g) override { return {index_select(g[0], axis_, saved(0).tensor())}; }

 private:
  int axis_;
};

}  // namespace

Var index_add(const Var& x, int axis, const Tensor& indices, std::int64_t extent) {
  Tensor result = kernels::index_add(x.tensor(), axis, indices, extent);
  const auto node = record<IndexAddFunction>({x}, axis);
  if (node) node->save(indices);
  return attach(node, std::move(result));
}

}  // namespace imago::ops
