#include "autograd/ops/logsumexp.h"

#include "autograd/function.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/sub.h"

namespace imago::ops {
namespace {

class LogsumexpFunction final : public Function {
 public:
  explicit LogsumexpFunction(Shape kept) : Function("logsumexp"), kept_(kept) {}
  Vars backward(const Vars& g) override {
    const Var shares = exp(sub(saved(0), reshape(saved(1), kept_)));
    return {mul(reshape(g[0], kept_), shares)};
  }

 private:
  Shape kept_;
};

}  // namespace

Var logsumexp(const Var& x, const kernels::AxisList& axes, bool keepdim) {
  const auto node =
      record<LogsumexpFunction>({x}, kernels::reduced_shape("logsumexp", x.shape(), axes, true));
  Var y = attach(node, kernels::logsumexp(x.tensor(), axes, keepdim));
  if (node) {
    node->save(x);
    node->save_output(y);
  }
  return y;
}

}  // namespace imago::ops
