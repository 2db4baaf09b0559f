#include "autograd/ops/gather.h"

#include "autograd/function.h"
#include "autograd/ops/scatter_add.h"
#include "kernels/gather/gather.h"

namespace imago::ops {
namespace {

class GatherFunction final : public Function {
 public:
  GatherFunction(int axis, std::int64_t extent)
      : Function("gather"), axis_(axis), extent_(extent) {}
  Vars backward(const Vars& g) override {
    return {scatter_add(g[0], axis_, saved(0).tensor(), extent_)};
  }

 private:
  int axis_;
  std::int64_t extent_;
};

}  // namespace

Var gather(const Var& x, int axis, const Tensor& indices) {
  Tensor result = kernels::gather(x.tensor(), axis, indices);  // validates the axis
  const auto node = record<GatherFunction>({x}, axis, x.size(axis));
  if (node) node->save(indices);
  return attach(node, std::move(result));
}

}  // namespace imago::ops
