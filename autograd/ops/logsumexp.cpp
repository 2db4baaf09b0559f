#include "autograd/ops/logsumexp.h"

#include <limits>
#include <utility>

#include "autograd/function.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/clamp.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sub.h"

namespace imago::ops {
namespace {

double lowest(DType dtype) {
  return dtype == DType::f64 ? std::numeric_limits<double>::lowest()
                             : static_cast<double>(std::numeric_limits<float>::lowest());
}

// The gradient is dy times the shares e^(x - y), which are worked out in acc_t: a y that was
// rounded to bf16 may be off by 1 near 300, and all shares then by a factor of e. Rows of only -inf
// have y = -inf; with the lowest number in its place their shares are e^-inf, and constant.
class LogsumexpFunction final : public Function {
 public:
  LogsumexpFunction(kernels::AxisList axes, Shape kept)
      : Function("logsumexp"), axes_(std::move(axes)), kept_(kept) {}
  Vars backward(const Vars& g) override {
    const Var narrow = saved(0);
    const DType dtype = narrow.dtype(), acc = acc_dtype(dtype);
    const Var x = cast(narrow, acc);
    const Var y = dtype == acc ? reshape(saved(1), kept_) : logsumexp(x, axes_, true);
    const Var shares = exp(sub(x, clamp(y, {.low = lowest(acc)})));
    return {cast(mul(reshape(cast(g[0], acc), kept_), shares), dtype)};
  }

 private:
  kernels::AxisList axes_;
  Shape kept_;
};

}  // namespace

Var logsumexp(const Var& x, const kernels::AxisList& axes, bool keepdim) {
  const auto node = record<LogsumexpFunction>(
      {x}, axes, kernels::reduced_shape("logsumexp", x.shape(), axes, true));
  Var y = attach(node, kernels::logsumexp(x.tensor(), axes, keepdim));
  if (node) {
    node->save(x);
    if (x.dtype() == acc_dtype(x.dtype())) node->save_output(y);
  }
  return y;
}

}  // namespace imago::ops
