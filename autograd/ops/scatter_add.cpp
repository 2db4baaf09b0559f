#include "autograd/ops/scatter_add.h"

#include "autograd/function.h"
#include "autograd/ops/gather.h"
#include "kernels/gather/gather.h"

namespace imago::ops {
namespace {

class ScatterAddFunction final : public Function {
 public:
  explicit ScatterAddFunction(int axis) : Function("scatter_add"), axis_(axis) {}
  Vars backward(const Vars& g) override { return {gather(g[0], axis_, saved(0).tensor())}; }

 private:
  int axis_;
};

}  // namespace

Var scatter_add(const Var& x, int axis, const Tensor& indices, std::int64_t extent) {
  Tensor result = kernels::scatter_add(x.tensor(), axis, indices, extent);
  const auto node = record<ScatterAddFunction>({x}, axis);
  if (node) node->save(indices);
  return attach(node, std::move(result));
}

}  // namespace imago::ops
