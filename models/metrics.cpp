#include "models/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "kernels/parallel.h"
#include "kernels/random/random.h"

namespace imago::models {
namespace {

using kernels::Transpose;

// (N, D), on the host: both metrics sort or loop there.
Tensor as_matrix(const char* op, const Tensor& x, DType dtype) {
  check(x.defined() && x.dtype() == dtype && x.dim() >= 2 && x.size(0) >= 2, op,
        "needs at least two ", dtype, " samples (N, ...), not ", x.shape(), " ", x.dtype());
  return x.to(Device::cpu()).reshape({x.size(0), -1});
}

// Of the dtype of the samples, on the host.
Tensor checked_directions(const char* op, const Tensor& directions, std::int64_t D, DType dtype) {
  check(directions.defined() && directions.dim() == 2 && directions.size(0) > 0 &&
            directions.size(1) == D &&
            (directions.dtype() == DType::f32 || directions.dtype() == DType::f64),
        op, "samples of ", D, " values need directions (K, ", D, ") of f32 or f64, not ",
        directions.shape(), " ", directions.dtype());
  const Tensor host = directions.to(Device::cpu());
  const Tensor wide = kernels::cast(host, DType::f64);
  const double* p = wide.data<double>();
  for (std::int64_t k = 0; k < wide.size(0); ++k) {
    double square = 0;
    for (std::int64_t j = k * D; j < (k + 1) * D; ++j) square += p[j] * p[j];
    check(std::abs(std::sqrt(square) - 1) <= 1e-3, op, "direction ", k, " has length ",
          std::sqrt(square), ", but distances along it count once only with length 1");
  }
  return kernels::cast(host, dtype);
}

// (K, N), f64: each row the samples (N, D) along one of the directions (K, D), sorted.
Tensor sorted_projections(const char* op, const Tensor& directions, const Tensor& samples) {
  // In f64 there is the reference alone, and many samples are no reason for it to warn of itself.
  const Engine engine = samples.dtype() == DType::f64 ? Engine::reference : Engine::automatic;
  Tensor all = kernels::cast(
      kernels::gemm(directions, samples, Transpose::no, Transpose::yes, engine), DType::f64);
  const std::int64_t N = all.size(1);
  double* p = all.mutable_data<double>();
  parallel_for(all.size(0), [&](std::int64_t k) {
    for (std::int64_t i = k * N; i < (k + 1) * N; ++i) {
      check(std::isfinite(p[i]), op, "the samples hold values that are not finite");
    }
    std::sort(p + k * N, p + (k + 1) * N);
  });
  return all;
}

// The Wasserstein-1 distance of sorted samples u (N) and v (M) on a line: the area between their
// quantile functions. All mass is lcm(N, M) equal parts, of which each u has M / gcd(N, M) and each
// v N / gcd(N, M); parts of one rank go together, and with N = M so do samples of one rank.
double distance_on_a_line(const double* u, std::int64_t N, const double* v, std::int64_t M) {
  const std::int64_t common = std::gcd(N, M), of_u = M / common, of_v = N / common;
  std::int64_t left_of_u = of_u, left_of_v = of_v;
  double sum = 0;
  for (std::int64_t i = 0, j = 0; i < N && j < M;) {
    const std::int64_t parts = std::min(left_of_u, left_of_v);
    sum += static_cast<double>(parts) * std::abs(u[i] - v[j]);
    left_of_u -= parts;
    left_of_v -= parts;
    if (left_of_u == 0) {
      ++i;
      left_of_u = of_u;
    }
    if (left_of_v == 0) {
      ++j;
      left_of_v = of_v;
    }
  }
  return sum / static_cast<double>(N * of_u);
}

}  // namespace

Tensor unit_directions(std::int64_t count, std::int64_t D, std::uint64_t seed) {
  check(count > 0 && D > 0, "unit_directions", "needs at least one direction of one value, not ",
        count, " of ", D);
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

double sliced_wasserstein(const Tensor& a, const Tensor& b, int projections, std::uint64_t seed) {
  const char* op = "sliced_wasserstein";
  const Tensor x = as_matrix(op, a, DType::f32), y = as_matrix(op, b, DType::f32);
  check(x.shape() == y.shape(), op, "the sets must have one shape, but are ", a.shape(), " and ",
        b.shape());
  check(projections > 0, op, "the number of projections must be positive");
  return sliced_wasserstein(x, y, unit_directions(projections, x.size(1), seed));
}

double sliced_wasserstein(const Tensor& a, const Tensor& b, const Tensor& directions) {
  const char* op = "sliced_wasserstein";
  const DType dtype = a.defined() && a.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor x = as_matrix(op, a, dtype), y = as_matrix(op, b, dtype);
  check(x.size(1) == y.size(1), op, "samples of both sets need as many values, but they are ",
        a.shape(), " and ", b.shape());
  const Tensor d = checked_directions(op, directions, x.size(1), dtype);
  const Tensor px = sorted_projections(op, d, x), py = sorted_projections(op, d, y);
  const std::int64_t K = d.size(0), N = x.size(0), M = y.size(0);
  const double *u = px.data<double>(), *v = py.data<double>();
  std::vector<double> distance(static_cast<std::size_t>(K));
  parallel_for(K, [&](std::int64_t k) {
    distance[static_cast<std::size_t>(k)] = distance_on_a_line(u + k * N, N, v + k * M, M);
  });
  double sum = 0;
  for (const double value : distance) sum += value;
  return sum / static_cast<double>(K);
}

double mean_pairwise_distance(const Tensor& x) {
  const Tensor m = as_matrix("mean_pairwise_distance", x, DType::f32);
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
