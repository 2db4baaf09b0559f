#include "kernels/resample/cpu_rows.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resample/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// out[i] = the sum of w[k] * x[k * pitch + i], i < n, the first product first. Two terms are what
// doubling the size takes, four its adjoint; longer sums stay in the L1 cache.
template <class From, class A, class To>
HWY_ATTR void blend(const From* x, std::int64_t pitch, const A* w, std::size_t count,
                    std::int64_t n, To* out) {
  const auto rows = static_cast<std::int64_t>(count);
  if (rows == 1) {
    const A a = w[0];
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(a * static_cast<A>(x[i]));
    return;
  }
  if (rows == 2) {
    const A a = w[0], b = w[1];
    const From* y = x + pitch;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) {
      out[i] = static_cast<To>(a * static_cast<A>(x[i]) + b * static_cast<A>(y[i]));
    }
    return;
  }
  if (rows == 4) {
    const A a = w[0], b = w[1], c = w[2], d = w[3];
    const From *y = x + pitch, *z = y + pitch, *v = z + pitch;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) {
      const A ab = a * static_cast<A>(x[i]) + b * static_cast<A>(y[i]);
      out[i] = static_cast<To>((ab + c * static_cast<A>(z[i])) + d * static_cast<A>(v[i]));
    }
    return;
  }
  constexpr std::int64_t strip = 256;
  alignas(64) A sums[strip];
  for (std::int64_t first = 0; first < n; first += strip) {
    const std::int64_t m = n - first < strip ? n - first : strip;
    const From* y = x + first;
    for (std::int64_t i = 0; i < m; ++i) sums[i] = w[0] * static_cast<A>(y[i]);
    for (std::int64_t k = 1; k < rows; ++k) {
      y += pitch;
      const A a = w[k];
      for (std::int64_t i = 0; i < m; ++i) sums[i] += a * static_cast<A>(y[i]);
    }
    for (std::int64_t i = 0; i < m; ++i) out[first + i] = static_cast<To>(sums[i]);
  }
}

// `fixed` channels if that is not 0, so that the compiler unrolls the loops over three of them.
template <std::int64_t fixed, class A, class To>
HWY_ATTR void blend_places(const A* x, const GatherTable<A>& table, std::int64_t any, To* out) {
  const std::int64_t channels = fixed ? fixed : any;
  for (std::size_t j = 0; j < table.begin.size(); ++j) {
    const A* from = x + table.begin[j] * channels;
    const A* w = table.weights.data() + j * table.most;
    const std::size_t count = table.count[j];
    if (fixed && count == 2) {
      const A a = w[0], b = w[1];
      for (std::int64_t c = 0; c < fixed; ++c) {
        out[c] = static_cast<To>(a * from[c] + b * from[fixed + c]);
      }
    } else if (count == 0) {
      for (std::int64_t c = 0; c < channels; ++c) out[c] = static_cast<To>(A(0));
    } else {
      blend<A, A, To>(from, channels, w, count, channels, out);
    }
    out += channels;
  }
}

template <class A, class To>
HWY_ATTR void blend_any_places(const A* x, const GatherTable<A>& table, std::int64_t channels,
                               To* out) {
  if (channels == 1) return blend_places<1>(x, table, channels, out);
  if (channels == 3) return blend_places<3>(x, table, channels, out);
  blend_places<0>(x, table, channels, out);
}

HWY_ATTR void blend_rows_f32(const float* x, std::int64_t pitch, const float* w, std::size_t count,
                             std::int64_t n, float* sums) {
  blend<float, float, float>(x, pitch, w, count, n, sums);
}
HWY_ATTR void blend_rows_bf16(const bf16* x, std::int64_t pitch, const float* w, std::size_t count,
                              std::int64_t n, float* sums) {
  blend<bf16, float, float>(x, pitch, w, count, n, sums);
}
HWY_ATTR void blend_columns_f32(const float* x, const GatherTable<float>& table,
                                std::int64_t channels, float* out) {
  blend_any_places<float, float>(x, table, channels, out);
}
HWY_ATTR void blend_columns_bf16(const float* x, const GatherTable<float>& table,
                                 std::int64_t channels, bf16* out) {
  blend_any_places<float, bf16>(x, table, channels, out);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(blend_rows_f32);
HWY_EXPORT(blend_rows_bf16);
HWY_EXPORT(blend_columns_f32);
HWY_EXPORT(blend_columns_bf16);

void blend_rows(const float* x, std::int64_t pitch, const float* weights, std::size_t count,
                std::int64_t n, float* sums) {
  HWY_DYNAMIC_DISPATCH(blend_rows_f32)(x, pitch, weights, count, n, sums);
}
void blend_rows(const bf16* x, std::int64_t pitch, const float* weights, std::size_t count,
                std::int64_t n, float* sums) {
  HWY_DYNAMIC_DISPATCH(blend_rows_bf16)(x, pitch, weights, count, n, sums);
}
void blend_rows(const double* x, std::int64_t pitch, const double* weights, std::size_t count,
                std::int64_t n, double* sums) {
  HWY_STATIC_DISPATCH(blend<double>)(x, pitch, weights, count, n, sums);
}
void blend_columns(const float* x, const GatherTable<float>& table, std::int64_t channels,
                   float* out) {
  HWY_DYNAMIC_DISPATCH(blend_columns_f32)(x, table, channels, out);
}
void blend_columns(const float* x, const GatherTable<float>& table, std::int64_t channels,
                   bf16* out) {
  HWY_DYNAMIC_DISPATCH(blend_columns_bf16)(x, table, channels, out);
}
void blend_columns(const double* x, const GatherTable<double>& table, std::int64_t channels,
                   double* out) {
  HWY_STATIC_DISPATCH(blend_any_places<double>)(x, table, channels, out);
}

}  // namespace imago::kernels
#endif
