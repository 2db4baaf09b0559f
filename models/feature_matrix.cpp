#include "models/feature_matrix.h"

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"

namespace imago::models {

Tensor feature_matrix(const char* op, const char* what, const Tensor& x, std::int64_t least) {
  check(x.defined(), op, "the ", what, " features are undefined");
  check(x.dim() == 2 && (x.dtype() == DType::f32 || x.dtype() == DType::f64), op, "the ", what,
        " features are a matrix (N, D) of f32 or f64, not ", x.shape(), " ", x.dtype());
  check(x.size(0) >= least && x.size(1) >= 1, op, "needs at least ", least, " ", what,
        " samples, but the features are ", x.shape());
  const Tensor host = kernels::cast(x.to(Device::cpu()), DType::f64);
  const double* p = host.data<double>();
  parallel_ranges(host.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(p[i])) {
        fail(op, "a value of the ", what, " features is not finite: row ", i / x.size(1));
      }
    }
  });
  return host;
}

FeatureMatrices feature_matrices(const char* op, const Tensor& fake, const Tensor& real,
                                 std::int64_t least) {
  FeatureMatrices m{feature_matrix(op, "fake", fake, least),
                    feature_matrix(op, "real", real, least)};
  check(m.fake.size(1) == m.real.size(1), op,
        "both sets need features of one network, but they are ", fake.shape(), " and ",
        real.shape());
  return m;
}

}  // namespace imago::models
