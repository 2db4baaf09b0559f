#include "autograd/ops/max.h"

#include "autograd/function.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/reduce/reduce.h"

namespace imago::ops {
namespace {

// The gradient is dy times the share of each element: 1 / n for the n elements that are the
// extremum, else 0. The shares change only where ties come and go, so they are constants.
class ExtremumFunction final : public Function {
 public:
  ExtremumFunction(const char* name, Shape kept) : Function(name), kept_(kept) {}
  Vars backward(const Vars& g) override {
    const Tensor x = saved(0).tensor(), y = saved(1).tensor().reshape(kept_);
    const Tensor equal = kernels::equal_elements(x, kernels::broadcast_to(y, x.shape()));
    const Tensor shares = kernels::div(equal, kernels::sum_to(equal, kept_));
    return {mul(reshape(g[0], kept_), shares)};
  }

 private:
  Shape kept_;
};

Var extremum(const char* name, const Var& x, Tensor y, const kernels::AxisList& axes) {
  const auto node =
      record<ExtremumFunction>({x}, name, kernels::reduced_shape(name, x.shape(), axes, true));
  Var result = attach(node, std::move(y));
  if (node) {
    node->save(x);
    node->save_output(result);
  }
  return result;
}

}  // namespace

Var max(const Var& x, const kernels::AxisList& axes, bool keepdim) {
  return extremum("max", x, kernels::max(x.tensor(), axes, keepdim), axes);
}

Var min(const Var& x, const kernels::AxisList& axes, bool keepdim) {
  return extremum("min", x, kernels::min(x.tensor(), axes, keepdim), axes);
}

Tensor argmax(const Var& x, int axis, bool keepdim) {
  return kernels::argmax(x.tensor(), axis, keepdim);
}

Tensor argmax(const Var& x) {
  return kernels::argmax(x.tensor());
}

}  // namespace imago::ops
