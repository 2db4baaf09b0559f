#include "kernels/batch_norm/cpu_rows.h"

#include "kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/batch_norm/cpu_rows.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that four vectors never exceed a strip.
using Wide = hn::CappedTag<float, 16>;
using Single = hn::CappedTag<float, 1>;

// One column's mean_b and squares_b into mean_a and squares_a; weight = rows_b / (rows_a + rows_b).
HWY_INLINE void merge_column(double rows_a, double weight, double mean_b, double squares_b,
                             double& mean_a, double& squares_a) {
  const double delta = mean_b - mean_a;
  mean_a += delta * weight;
  squares_a += squares_b + delta * delta * (rows_a * weight);
}

// The value before the activation, given d = x - mean. Forward and backward share it.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V pre_activation(D /*d*/, V d, V scale, V beta) {
  return hn::MulAdd(d, scale, beta);
}

// Strips of V vectors. The block is small enough that the second pass over a strip finds it in the
// first-level cache; deviations are taken from the block's own mean, so nothing cancels, and what
// that mean lost to rounding comes back from the sum of the deviations.
template <int V, class D>
HWY_INLINE void moments(D d, const float* x, std::int64_t rows, std::int64_t width,
                        double rows_before, double* mean, double* squares) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t strip = V * lanes;
  const double n = static_cast<double>(rows), inv_n = 1.0 / n;
  const double weight = n / (rows_before + n);
  for (std::int64_t c = 0; c < width; c += strip) {
    hn::Vec<D> m[V], sum[V], sq[V];
    for (int v = 0; v < V; ++v) m[v] = sum[v] = sq[v] = hn::Zero(d);
    for (std::int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < V; ++v) m[v] = hn::Add(m[v], hn::LoadU(d, x + r * width + c + v * lanes));
    for (int v = 0; v < V; ++v) m[v] = hn::Mul(m[v], hn::Set(d, static_cast<float>(inv_n)));
    for (std::int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < V; ++v) {
        const auto delta = hn::Sub(hn::LoadU(d, x + r * width + c + v * lanes), m[v]);
        sum[v] = hn::Add(sum[v], delta);
        sq[v] = hn::MulAdd(delta, delta, sq[v]);
      }
    HWY_ALIGN float block_mean[strip_width], block_sum[strip_width], block_sq[strip_width];
    for (int v = 0; v < V; ++v) {
      hn::StoreU(m[v], d, block_mean + v * lanes);
      hn::StoreU(sum[v], d, block_sum + v * lanes);
      hn::StoreU(sq[v], d, block_sq + v * lanes);
    }
    for (std::int64_t j = 0; j < strip; ++j) {
      const double s = static_cast<double>(block_sum[j]);
      const double q = static_cast<double>(block_sq[j]) - s * s * inv_n;
      merge_column(rows_before, weight, static_cast<double>(block_mean[j]) + s * inv_n,
                   q < 0 ? 0.0 : q, mean[c + j], squares[c + j]);
    }
  }
}

void MergeBlockMoments(const float* x, std::int64_t rows, std::int64_t width, double rows_before,
                       double* mean, double* squares) {
  if (width % strip_width == 0) {
    moments<4>(Wide(), x, rows, width, rows_before, mean, squares);
  } else {
    moments<1>(Single(), x, rows, width, rows_before, mean, squares);
  }
}

void MergeMoments(double rows_a, double* mean_a, double* squares_a, double rows_b,
                  const double* mean_b, const double* squares_b, std::int64_t width) {
  const double weight = rows_b / (rows_a + rows_b);
  for (std::int64_t c = 0; c < width; ++c)
    merge_column(rows_a, weight, mean_b[c], squares_b[c], mean_a[c], squares_a[c]);
}

template <bool Stream, class D>
HWY_INLINE void affine(D d, const float* x, float* y, std::int64_t rows, std::int64_t width,
                       const BatchNormTables& t, float slope) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto s = hn::Set(d, slope);
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* px = x + r * width;
    float* py = y + r * width;
    for (std::int64_t c = 0; c < width; c += lanes) {
      const auto delta = hn::Sub(hn::LoadU(d, px + c), hn::LoadU(d, t.mean + c));
      const auto z = pre_activation(d, delta, hn::LoadU(d, t.scale + c), hn::LoadU(d, t.beta + c));
      const auto a = hn::IfThenElse(hn::Gt(z, hn::Zero(d)), z, hn::Mul(s, z));
      if constexpr (Stream) {
        hn::Stream(a, d, py + c);
      } else {
        hn::StoreU(a, d, py + c);
      }
    }
  }
}

void AffineRows(const float* x, float* y, std::int64_t rows, std::int64_t width,
                const BatchNormTables& tables, float slope, bool stream) {
  if (width % strip_width != 0) {
    affine<false>(Single(), x, y, rows, width, tables, slope);
  } else if (stream) {
    affine<true>(Wide(), x, y, rows, width, tables, slope);
    hwy::FlushStream();
  } else {
    affine<false>(Wide(), x, y, rows, width, tables, slope);
  }
}

template <int V, class D>
HWY_INLINE void grad_sums(D d, const float* dy, const float* x, std::int64_t rows,
                          std::int64_t width, const BatchNormTables& t, float slope, double* sum_dz,
                          double* sum_dz_d) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t strip = V * lanes;
  const auto s = hn::Set(d, slope);
  for (std::int64_t c = 0; c < width; c += strip) {
    hn::Vec<D> mean[V], scale[V], beta[V], sum[V], sum_d[V];
    for (int v = 0; v < V; ++v) {
      mean[v] = hn::LoadU(d, t.mean + c + v * lanes);
      scale[v] = hn::LoadU(d, t.scale + c + v * lanes);
      beta[v] = hn::LoadU(d, t.beta + c + v * lanes);
      sum[v] = sum_d[v] = hn::Zero(d);
    }
    for (std::int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < V; ++v) {
        const std::int64_t i = r * width + c + v * lanes;
        const auto delta = hn::Sub(hn::LoadU(d, x + i), mean[v]);
        const auto g = hn::LoadU(d, dy + i);
        const auto z = pre_activation(d, delta, scale[v], beta[v]);
        const auto dz = hn::IfThenElse(hn::Gt(z, hn::Zero(d)), g, hn::Mul(s, g));
        sum[v] = hn::Add(sum[v], dz);
        sum_d[v] = hn::MulAdd(dz, delta, sum_d[v]);
      }
    HWY_ALIGN float block_sum[strip_width], block_sum_d[strip_width];
    for (int v = 0; v < V; ++v) {
      hn::StoreU(sum[v], d, block_sum + v * lanes);
      hn::StoreU(sum_d[v], d, block_sum_d + v * lanes);
    }
    for (std::int64_t j = 0; j < strip; ++j) {
      sum_dz[c + j] += static_cast<double>(block_sum[j]);
      sum_dz_d[c + j] += static_cast<double>(block_sum_d[j]);
    }
  }
}

void AddBlockGradSums(const float* dy, const float* x, std::int64_t rows, std::int64_t width,
                      const BatchNormTables& tables, float slope, double* sum_dz,
                      double* sum_dz_d) {
  if (width % strip_width == 0) {
    grad_sums<4>(Wide(), dy, x, rows, width, tables, slope, sum_dz, sum_dz_d);
  } else {
    grad_sums<1>(Single(), dy, x, rows, width, tables, slope, sum_dz, sum_dz_d);
  }
}

template <bool Stream, class D>
HWY_INLINE void grad(D d, const float* dy, const float* x, float* dx, std::int64_t rows,
                     std::int64_t width, const BatchNormTables& t, float slope) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto s = hn::Set(d, slope);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; c += lanes) {
      const std::int64_t i = r * width + c;
      const auto scale = hn::LoadU(d, t.scale + c);
      const auto delta = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, t.mean + c));
      const auto g = hn::LoadU(d, dy + i);
      const auto z = pre_activation(d, delta, scale, hn::LoadU(d, t.beta + c));
      const auto dz = hn::IfThenElse(hn::Gt(z, hn::Zero(d)), g, hn::Mul(s, g));
      const auto rest =
          hn::MulAdd(delta, hn::LoadU(d, t.dx_slope + c), hn::LoadU(d, t.dx_offset + c));
      const auto out = hn::MulAdd(dz, scale, rest);
      if constexpr (Stream) {
        hn::Stream(out, d, dx + i);
      } else {
        hn::StoreU(out, d, dx + i);
      }
    }
}

void GradRows(const float* dy, const float* x, float* dx, std::int64_t rows, std::int64_t width,
              const BatchNormTables& tables, float slope, bool stream) {
  if (width % strip_width != 0) {
    grad<false>(Single(), dy, x, dx, rows, width, tables, slope);
  } else if (stream) {
    grad<true>(Wide(), dy, x, dx, rows, width, tables, slope);
    hwy::FlushStream();
  } else {
    grad<false>(Wide(), dy, x, dx, rows, width, tables, slope);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(MergeBlockMoments);
HWY_EXPORT(MergeMoments);
HWY_EXPORT(AffineRows);
HWY_EXPORT(AddBlockGradSums);
HWY_EXPORT(GradRows);

void merge_block_moments(const float* x, std::int64_t rows, std::int64_t width, double rows_before,
                         double* mean, double* squares) {
  HWY_DYNAMIC_DISPATCH(MergeBlockMoments)(x, rows, width, rows_before, mean, squares);
}

void merge_moments(double rows_a, double* mean_a, double* squares_a, double rows_b,
                   const double* mean_b, const double* squares_b, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(MergeMoments)(rows_a, mean_a, squares_a, rows_b, mean_b, squares_b, width);
}

void affine_rows(const float* x, float* y, std::int64_t rows, std::int64_t width,
                 const BatchNormTables& tables, float slope, bool stream) {
  HWY_DYNAMIC_DISPATCH(AffineRows)(x, y, rows, width, tables, slope, stream);
}

void add_block_grad_sums(const float* dy, const float* x, std::int64_t rows, std::int64_t width,
                         const BatchNormTables& tables, float slope, double* sum_dz,
                         double* sum_dz_d) {
  HWY_DYNAMIC_DISPATCH(AddBlockGradSums)(dy, x, rows, width, tables, slope, sum_dz, sum_dz_d);
}

void grad_rows(const float* dy, const float* x, float* dx, std::int64_t rows, std::int64_t width,
               const BatchNormTables& tables, float slope, bool stream) {
  HWY_DYNAMIC_DISPATCH(GradRows)(dy, x, dx, rows, width, tables, slope, stream);
}

}  // namespace imago::kernels
#endif
