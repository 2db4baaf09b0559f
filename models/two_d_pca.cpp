#include <cmath>

#include "kernels/gemm/gemm.h"
#include "models/classical_faces.h"
#include "models/face_rows.h"
#include "models/principal_axes.h"

namespace imago::models {
namespace {

constexpr const char* op = "two_d_pca";

// Of n numbers each.
float euclidean(const float* a, const float* b, std::int64_t n) {
  constexpr int lanes = 8;  // sums of their own, so that they can be added side by side
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int lane = 0; lane < lanes; ++lane) {
      const float difference = a[i + lane] - b[i + lane];
      sums[lane] += difference * difference;
    }
  }
  for (int lane = 0; i < n; ++i, ++lane) sums[lane] += (a[i] - b[i]) * (a[i] - b[i]);
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return std::sqrt(sums[0]);
}

}  // namespace

TwoDPca::TwoDPca(const Tensor& training, const TwoDPcaOptions& options) : options_(options) {
  check(options.size >= 2 && options.components >= 1, op,
        "needs a size of at least 2 and at least 1 component, not ", options.size, " and ",
        options.components);
  const std::int64_t S = options.size;
  Tensor images = face_rows(op, training, options.size, options.equalize, 2);
  take_mean(images);
  // E (A - mean)^T (A - mean) is the second moment of all rows of all images, each a sample.
  const Tensor rows = images.reshape({-1, S});  // (N * size, size)
  const PrincipalAxes found =
      principal_axes(op, rows, options.components, axes_method(rows.size(0), S));
  const std::int64_t K = found.axes.size(0);
  projection_ = Tensor::empty({S, K}, DType::f32, Device::cpu());
  float* to = projection_.mutable_data<float>();
  const float* from = found.axes.data<float>();
  for (std::int64_t k = 0; k < K; ++k) {
    for (std::int64_t s = 0; s < S; ++s) to[s * K + k] = from[k * S + s];
  }
}

std::string TwoDPca::label() const {
  return "2D-PCA";
}

Tensor TwoDPca::encode(const Tensor& images) {
  const std::int64_t S = options_.size, K = projection_.size(1);
  const Tensor rows = face_rows(op, images, options_.size, options_.equalize, 1);
  // Y^T = X^T A^T, whose rows are the columns of Y.
  return kernels::gemm(projection_, rows.reshape({-1, S, S}), kernels::Transpose::yes,
                       kernels::Transpose::yes)
      .reshape({-1, K * S});
}

Tensor TwoDPca::similarity(const Tensor& a, const Tensor& b) const {
  const std::int64_t S = options_.size, K = projection_.size(1);
  check_rows(op, a, b, K * S);
  return table_of_rows(a, b, [S, K](const float* x, const float* y) {
    float sum = 0;
    for (std::int64_t k = 0; k < K; ++k) sum += euclidean(x + k * S, y + k * S, S);
    return -sum;
  });
}

}  // namespace imago::models
