#include "autograd/ops/norm.h"

#include "autograd/function.h"
#include "autograd/ops/abs_grad.h"
#include "autograd/ops/add.h"
#include "autograd/ops/broadcast_to.h"
#include "autograd/ops/div.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {
namespace {

class NormFunction final : public Function {
 public:
  NormFunction(double p, Shape kept) : Function("norm"), p_(p), kept_(kept) {}
  Vars backward(const Vars& g) override {
    const Var x = saved(0), dy = reshape(g[0], kept_);
    if (p_ == 1) return {abs_grad(broadcast_to(dy, x.shape()), x)};
    // dx = dy x / y, and 0 where y is 0: there y is taken for 1 and dy for 0.
    const Var y = reshape(saved(1), kept_);
    Tensor zero = Tensor::empty(kept_, y.dtype(), y.device());
    kernels::fill(zero, 0);
    const Tensor vanishes = kernels::equal_elements(y.tensor(), zero);
    const Tensor counts = kernels::add_scalar(kernels::neg(vanishes), 1);
    return {mul(x, div(mul(dy, counts), add(y, vanishes)))};
  }

 private:
  double p_;
  Shape kept_;
};

}  // namespace

Var norm(const Var& x, double p, const kernels::AxisList& axes, bool keepdim) {
  const auto node =
      record<NormFunction>({x}, p, kernels::reduced_shape("norm", x.shape(), axes, true));
  Var y = attach(node, kernels::norm(x.tensor(), p, axes, keepdim));
  if (node) {
    node->save(x);
    node->save_output(y);
  }
  return y;
}

}  // namespace imago::ops
