#include <cmath>

#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "models/classical_faces.h"
#include "models/face_rows.h"
#include "models/principal_axes.h"

namespace imago::models {
namespace {

constexpr const char* op = "eigenfaces";

// Rows (N, D) f32 scaled to length 1; those of length 0 stay.
Tensor unit_rows(const Tensor& rows) {
  const Tensor host = rows.to(Device::cpu());
  const std::int64_t N = host.size(0), D = host.size(1);
  Tensor out = Tensor::empty({N, D}, DType::f32, Device::cpu());
  const float* from = host.data<float>();
  float* to = out.mutable_data<float>();
  parallel_for(N, [&](std::int64_t i) {
    double square = 0;
    for (std::int64_t d = 0; d < D; ++d) square += double(from[i * D + d]) * from[i * D + d];
    const double scale = square == 0 ? 0 : 1 / std::sqrt(square);
    for (std::int64_t d = 0; d < D; ++d) {
      to[i * D + d] = static_cast<float>(from[i * D + d] * scale);
    }
  });
  return out;
}

}  // namespace

Eigenfaces::Eigenfaces(const Tensor& training, const EigenfacesOptions& options)
    : options_(options) {
  check(options.size >= 2 && options.components >= 1 && options.skip >= 0, op,
        "needs a size of at least 2, at least 1 component and a skip of at least 0, not ",
        options.size, ", ", options.components, " and ", options.skip);
  Tensor rows = face_rows(op, training, options.size, options.equalize, 2);
  mean_ = take_mean(rows);
  const PrincipalAxes found =
      principal_axes(op, rows, std::int64_t{options.skip} + options.components,
                     axes_method(rows.size(0), rows.size(1)));
  const std::int64_t K = found.axes.size(0);
  check(K > options.skip, op, "skip leaves out ", options.skip,
        " components, but the training images vary in ", K, " directions only");
  components_ = found.axes.slice(options.skip, K).clone();
  variances_ = found.variances.slice(options.skip, K).clone();
  const float* variance = variances_.data<float>();
  double sum = 0;
  for (std::int64_t k = 0; k < variances_.numel(); ++k) sum += variance[k];
  explained_ = sum / found.total;
}

std::string Eigenfaces::label() const {
  return "Eigenfaces";
}

Tensor Eigenfaces::encode(const Tensor& images) {
  const Tensor rows = [&] {  // (N, D), without the mean
    Tensor all = face_rows(op, images, options_.size, options_.equalize, 1);
    const std::int64_t D = all.size(1);
    float* x = all.mutable_data<float>();
    const float* mean = mean_.data<float>();
    parallel_for(all.size(0), [&](std::int64_t i) {
      for (std::int64_t d = 0; d < D; ++d) x[i * D + d] -= mean[d];
    });
    return all;
  }();
  Tensor out =
      kernels::gemm(rows, components_, kernels::Transpose::no, kernels::Transpose::yes);  // (N, K)
  if (options_.whiten) {
    const std::int64_t K = out.size(1);
    float* y = out.mutable_data<float>();
    const float* variance = variances_.data<float>();
    for (std::int64_t i = 0; i < out.size(0); ++i) {
      for (std::int64_t k = 0; k < K; ++k) y[i * K + k] /= std::sqrt(variance[k]);
    }
  }
  return out;
}

Tensor Eigenfaces::similarity(const Tensor& a, const Tensor& b) const {
  check_rows(op, a, b, components_.size(0));
  return kernels::gemm(unit_rows(a), unit_rows(b), kernels::Transpose::no, kernels::Transpose::yes);
}

}  // namespace imago::models
