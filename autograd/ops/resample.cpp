#include "autograd/ops/resample.h"

#include "autograd/function.h"
#include "autograd/ops/resample_grad.h"

namespace imago::ops {
namespace {

class ResampleFunction final : public Function {
 public:
  ResampleFunction(std::int64_t height, std::int64_t width, Filter filter)
      : Function("resample"), height_(height), width_(width), filter_(filter) {}
  Vars backward(const Vars& g) override { return {resample_grad(g[0], height_, width_, filter_)}; }

 private:
  std::int64_t height_, width_;  // of x
  Filter filter_;
};

}  // namespace

Var resample(const Var& x, std::int64_t height, std::int64_t width, Filter filter) {
  Tensor result = kernels::resample(x.tensor(), height, width, filter);  // validates x
  const auto node = record<ResampleFunction>({x}, x.size(1), x.size(2), filter);
  return attach(node, std::move(result));
}

}  // namespace imago::ops
