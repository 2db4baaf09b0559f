#include "autograd/ops/resample_grad.h"

#include "autograd/function.h"
#include "autograd/ops/resample.h"

namespace imago::ops {
namespace {

class ResampleGradFunction final : public Function {
 public:
  ResampleGradFunction(std::int64_t height, std::int64_t width, Filter filter)
      : Function("resample_grad"), height_(height), width_(width), filter_(filter) {}
  Vars backward(const Vars& g) override { return {resample(g[0], height_, width_, filter_)}; }

 private:
  std::int64_t height_, width_;  // of dy
  Filter filter_;
};

}  // namespace

Var resample_grad(const Var& dy, std::int64_t height, std::int64_t width, Filter filter) {
  Tensor result = kernels::resample_grad(dy.tensor(), height, width, filter);  // validates dy
  const auto node = record<ResampleGradFunction>({dy}, dy.size(1), dy.size(2), filter);
  return attach(node, std::move(result));
}

}  // namespace imago::ops
