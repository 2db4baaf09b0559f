#include "autograd/ops/cast.h"

#include "autograd/function.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class CastFunction final : public Function {
 public:
  explicit CastFunction(DType from) : Function("cast"), from_(from) {}
  Vars backward(const Vars& g) override { return {cast(g[0], from_)}; }

 private:
  DType from_;
};

}  // namespace

Var cast(const Var& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (!is_floating(dtype)) return kernels::cast(x.tensor(), dtype);
  const auto node = record<CastFunction>({x}, x.dtype());
  return attach(node, kernels::cast(x.tensor(), dtype));
}

}  // namespace imago::ops
