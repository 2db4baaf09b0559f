#include "models/face_rows.h"

#include <algorithm>
#include <cmath>

#include "kernels/parallel.h"
#include "models/face_encoder.h"

namespace imago::models {
namespace {

constexpr double flat = 1e-4;  // a standard deviation

// n values to mean 0 and variance 1. `from` may be `to`.
void standardise(const float* from, std::int64_t n, float* to) {
  double mean = 0, square = 0;
  for (std::int64_t i = 0; i < n; ++i) mean += from[i];
  mean /= static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i) square += (from[i] - mean) * (from[i] - mean);
  const double deviation = std::sqrt(square / static_cast<double>(n));
  const double scale = deviation < flat ? 0 : 1 / deviation;
  for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<float>((from[i] - mean) * scale);
}

}  // namespace

Tensor face_rows(const char* op, const Tensor& images, int size, bool equalize,
                 std::int64_t least) {
  check(images.defined(), op, "the images are undefined");
  check(images.dim() == 4 && images.size(3) == 3 && images.dtype() == DType::f32, op,
        "images are (N, H, W, 3) f32 in [-1, 1], not ", images.shape(), " ", images.dtype());
  const std::int64_t N = images.size(0), D = std::int64_t{size} * size;
  check(N >= least, op, "needs at least ", least, least == 1 ? " image" : " images", ", not ", N);
  Tensor rows = Tensor::empty({N, D}, DType::f32, Device::cpu());
  float* out = rows.mutable_data<float>();
  constexpr std::int64_t batch = 256;
  for (std::int64_t begin = 0; begin < N; begin += batch) {
    const std::int64_t end = std::min(begin + batch, N);
    const Tensor grey = grey_images(images.slice(begin, end), size).to(Device::cpu());
    const float* in = grey.data<float>();
    parallel_for(end - begin, [&](std::int64_t i) {
      const float* from = in + i * D;
      float* to = out + (begin + i) * D;
      double sum = 0;
      for (std::int64_t d = 0; d < D; ++d) sum += from[d];
      // A sum of finite f32 values is finite in f64.
      if (!std::isfinite(sum)) fail(op, "image ", begin + i, " has a value that is not finite");
      if (equalize) {
        standardise(from, D, to);
      } else {
        std::copy(from, from + D, to);
      }
    });
  }
  return rows;
}

Tensor take_mean(Tensor& rows) {
  const std::int64_t N = rows.size(0), D = rows.size(1);
  Tensor mean = Tensor::empty({D}, DType::f32, Device::cpu());
  float *x = rows.mutable_data<float>(), *m = mean.mutable_data<float>();
  constexpr std::int64_t columns = 64;
  parallel_ranges(D, columns, [&](std::int64_t begin, std::int64_t end) {
    double sums[columns] = {};
    for (std::int64_t i = 0; i < N; ++i) {
      for (std::int64_t d = begin; d < end; ++d) sums[d - begin] += x[i * D + d];
    }
    for (std::int64_t d = begin; d < end; ++d) {
      m[d] = static_cast<float>(sums[d - begin] / static_cast<double>(N));
    }
    for (std::int64_t i = 0; i < N; ++i) {
      for (std::int64_t d = begin; d < end; ++d) x[i * D + d] -= m[d];
    }
  });
  return mean;
}

void check_rows(const char* op, const Tensor& a, const Tensor& b, std::int64_t columns) {
  for (const Tensor* rows : {&a, &b}) {
    check(rows->defined(), op, "the rows are undefined");
    check(rows->dim() == 2 && rows->dtype() == DType::f32, op, "rows are (N, ", columns,
          ") f32, not ", rows->shape(), " ", rows->dtype());
    check(rows->size(0) >= 1 && rows->size(1) == columns, op, "rows are (N, ", columns,
          "), N >= 1, not ", rows->shape(), "; were they encoded by another method?");
  }
}

Tensor table_of_rows(const Tensor& a, const Tensor& b,
                     const std::function<float(const float* a, const float* b)>& f) {
  const Tensor left = a.to(Device::cpu()), right = b.to(Device::cpu());
  const std::int64_t N = left.size(0), M = right.size(0), D = left.size(1);
  Tensor table = Tensor::empty({N, M}, DType::f32, Device::cpu());
  const float *x = left.data<float>(), *y = right.data<float>();
  float* out = table.mutable_data<float>();
  // Tiles of few rows of a, which stay in the second cache while each row of b is in the first.
  constexpr std::int64_t high = 8, wide = 64;
  const std::int64_t across = ceil_div(M, wide);
  parallel_for(ceil_div(N, high) * across, [&](std::int64_t tile) {
    const std::int64_t i0 = tile / across * high, j0 = tile % across * wide;
    for (std::int64_t j = j0; j < std::min(j0 + wide, M); ++j) {
      for (std::int64_t i = i0; i < std::min(i0 + high, N); ++i) {
        out[i * M + j] = f(x + i * D, y + j * D);
      }
    }
  });
  return table;
}

}  // namespace imago::models
