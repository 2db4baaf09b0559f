#include "models/metrics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "kernels/random/random.h"

namespace imago::models {
namespace {

using kernels::Transpose;

// (N, D), on the host: both metrics sort or loop there.
Tensor as_matrix(const char* op, const Tensor& x) {
  check(x.defined() && x.dtype() == DType::f32 && x.dim() >= 2 && x.size(0) >= 2, op,
        "needs at least two f32 samples (N, ...), not ", x.shape(), " ", x.dtype());
  return x.to(Device::cpu()).reshape({x.size(0), -1});
}

// Unit directions, (count, D).
Tensor directions(std::int64_t count, std::int64_t D, std::uint64_t seed) {
  Tensor d = kernels::normal({count, D}, DType::f32, DrawKey{seed, 0, 0}, Device::cpu());
  float* p = d.mutable_data<float>();
  parallel_for(count, [&](std::int64_t i) {
    double square = 0;
    for (std::int64_t j = 0; j < D; ++j) square += double(p[i * D + j]) * p[i * D + j];
    const auto inverse = static_cast<float>(1 / std::sqrt(square));
    for (std::int64_t j = 0; j < D; ++j) p[i * D + j] *= inverse;
  });
  return d;
}

}  // namespace

double sliced_wasserstein(const Tensor& a, const Tensor& b, int projections, std::uint64_t seed) {
  const Tensor x = as_matrix("sliced_wasserstein", a), y = as_matrix("sliced_wasserstein", b);
  check(x.shape() == y.shape(), "sliced_wasserstein", "the sets must have one shape, but are ",
        a.shape(), " and ", b.shape());
  check(projections > 0, "sliced_wasserstein", "the number of projections must be positive");
  const std::int64_t N = x.size(0), D = x.size(1);
  const Tensor d = directions(projections, D, seed);
  Tensor px = kernels::gemm(d, x, Transpose::no, Transpose::yes);  // (projections, N)
  Tensor py = kernels::gemm(d, y, Transpose::no, Transpose::yes);
  float* u = px.mutable_data<float>();
  float* v = py.mutable_data<float>();
  std::vector<double> distance(static_cast<std::size_t>(projections));
  parallel_for(projections, [&](std::int64_t k) {
    for (std::int64_t i = k * N; i < (k + 1) * N; ++i) {
      check(std::isfinite(u[i]) && std::isfinite(v[i]), "sliced_wasserstein",
            "the samples hold values that are not finite");
    }
    std::sort(u + k * N, u + (k + 1) * N);
    std::sort(v + k * N, v + (k + 1) * N);
    double sum = 0;
    for (std::int64_t i = k * N; i < (k + 1) * N; ++i) sum += std::abs(double(u[i]) - v[i]);
    distance[static_cast<std::size_t>(k)] = sum / static_cast<double>(N);
  });
  double sum = 0;
  for (const double value : distance) sum += value;
  return sum / projections;
}

double mean_pairwise_distance(const Tensor& x) {
  const Tensor m = as_matrix("mean_pairwise_distance", x);
  const std::int64_t N = m.size(0), D = m.size(1);
  const float* p = m.data<float>();
  std::vector<double> row(static_cast<std::size_t>(N));
  parallel_for(N, [&](std::int64_t i) {
    double sum = 0;
    for (std::int64_t j = 0; j < i; ++j) {
      double square = 0;
      for (std::int64_t k = 0; k < D; ++k) {
        const double difference = double(p[i * D + k]) - p[j * D + k];
        square += difference * difference;
      }
      sum += std::sqrt(square / static_cast<double>(D));
    }
    row[static_cast<std::size_t>(i)] = sum;
  });
  double sum = 0;
  for (const double value : row) sum += value;
  return sum / (static_cast<double>(N) * static_cast<double>(N - 1) / 2);
}

}  // namespace imago::models
