#include <cmath>

#include "kernels/group_norm/engines.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/reduce/cpu_fold.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/group_norm/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/reduce/cpu_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// A row is read three times, the last two from the first-level cache. What the mean lost to
// rounding comes back from the sum of the deviations.
template <class T>
HWY_ATTR void forward_rows(const NormRowsCall& c) {
  using A = acc_t<T>;
  const A terms = static_cast<A>(c.width);
  for (std::int64_t r = c.first; r < c.first + c.rows; ++r) {
    const T* x = static_cast<const T*>(c.x) + r * c.width;
    T* y = static_cast<T*>(c.out) + r * c.width;
    if (r + 1 < c.first + c.rows) {
      ask_for_row(x + c.width, c.width * static_cast<std::int64_t>(sizeof(T)));
    }
    const A* gamma = static_cast<const A*>(c.gamma) + r % c.groups * c.width;
    const A* beta = static_cast<const A*>(c.beta) + r % c.groups * c.width;
    const A origin = static_cast<A>(x[0]);
    const auto from_origin = [x, origin](std::int64_t i)
                                 HWY_ATTR { return static_cast<A>(x[i]) - origin; };
    const A centre = origin + fold_row<Fold::sum, A>(c.width, from_origin) / terms;
    const auto deviation = [x, centre](std::int64_t i)
                               HWY_ATTR { return static_cast<A>(x[i]) - centre; };
    const A rest = fold_row<Fold::sum, A>(c.width, deviation) / terms;
    const auto squared = [x, centre](std::int64_t i) HWY_ATTR {
      const A d = static_cast<A>(x[i]) - centre;
      return d * d;
    };
    const A squares = fold_row<Fold::sum, A>(c.width, squared) / terms - rest * rest;
    const double variance = squares < 0 ? 0.0 : static_cast<double>(squares);
    const A mean = centre + rest, invstd = static_cast<A>(1.0 / std::sqrt(variance + c.eps));
    static_cast<A*>(c.mean)[r] = mean;
    static_cast<A*>(c.invstd)[r] = invstd;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < c.width; ++i) {
      y[i] = static_cast<T>((static_cast<A>(x[i]) - mean) * (invstd * gamma[i]) + beta[i]);
    }
  }
}

template <class T>
HWY_ATTR void grad_rows(const NormRowsCall& c) {
  using A = acc_t<T>;
  const A terms = static_cast<A>(c.width);
  for (std::int64_t r = c.first; r < c.first + c.rows; ++r) {
    const T* x = static_cast<const T*>(c.x) + r * c.width;
    const T* dy = static_cast<const T*>(c.dy) + r * c.width;
    T* dx = static_cast<T*>(c.out) + r * c.width;
    const A* gamma = static_cast<const A*>(c.gamma) + r % c.groups * c.width;
    const A mean = static_cast<const A*>(c.mean)[r], invstd = static_cast<const A*>(c.invstd)[r];
    const auto weighted = [dy, gamma](std::int64_t i)
                              HWY_ATTR { return static_cast<A>(dy[i]) * gamma[i]; };
    const auto product = [dy, gamma, x, mean](std::int64_t i) HWY_ATTR {
      return static_cast<A>(dy[i]) * gamma[i] * (static_cast<A>(x[i]) - mean);
    };
    const A offset = -invstd * fold_row<Fold::sum, A>(c.width, weighted) / terms;
    const A slope = -invstd * invstd * invstd * fold_row<Fold::sum, A>(c.width, product) / terms;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < c.width; ++i) {
      const A d = static_cast<A>(x[i]) - mean;
      dx[i] = static_cast<T>(static_cast<A>(dy[i]) * (gamma[i] * invstd) + (d * slope + offset));
    }
  }
}

// Columns at once of the sums over rows.
constexpr std::int64_t tile = 512;

// Adds the rows' part to dgamma and dbeta: up to 64 images in acc_t, then in f64.
template <class T>
HWY_ATTR void add_parameter_sums(const NormRowsCall& c) {
  using A = acc_t<T>;
  const std::int64_t channels = c.groups * c.width;
  const std::int64_t begin = c.first / c.groups, end = (c.first + c.rows) / c.groups;
  for (std::int64_t image = begin; image < end; image += 64) {
    const std::int64_t last = image + 64 < end ? image + 64 : end;
    for (std::int64_t group = 0; group < c.groups; ++group) {
      for (std::int64_t at = 0; at < c.width; at += tile) {
        const std::int64_t columns = c.width - at < tile ? c.width - at : tile;
        alignas(64) A dgamma[tile], dbeta[tile];
        for (std::int64_t j = 0; j < columns; ++j) dgamma[j] = dbeta[j] = 0;
        const std::int64_t first = group * c.width + at;
        for (std::int64_t n = image; n < last; ++n) {
          const T* x = static_cast<const T*>(c.x) + n * channels + first;
          const T* dy = static_cast<const T*>(c.dy) + n * channels + first;
          const A mean = static_cast<const A*>(c.mean)[n * c.groups + group];
          const A invstd = static_cast<const A*>(c.invstd)[n * c.groups + group];
#pragma GCC ivdep
          for (std::int64_t j = 0; j < columns; ++j) {
            const A g = static_cast<A>(dy[j]);
            dgamma[j] += g * ((static_cast<A>(x[j]) - mean) * invstd);
            dbeta[j] += g;
          }
        }
        for (std::int64_t j = 0; j < columns; ++j) {
          c.dgamma[first + j] += static_cast<double>(dgamma[j]);
          c.dbeta[first + j] += static_cast<double>(dbeta[j]);
        }
      }
    }
  }
}

template <class T>
HWY_ATTR void run_call(const NormRowsCall& c) {
  if (!c.dy) return forward_rows<T>(c);
  // Few images at a time, so that their rows are still in the cache for the parameters.
  const std::int64_t channels = c.groups * c.width;
  const std::int64_t most = std::int64_t{1} << 15;  // elements
  std::int64_t step = 64;
  while (step > 1 && step * channels > most) step /= 2;
  for (std::int64_t at = 0; at < c.rows; at += step * c.groups) {
    NormRowsCall some = c;
    some.first = c.first + at;
    some.rows = c.rows - at < step * c.groups ? c.rows - at : step * c.groups;
    grad_rows<T>(some);
    if (c.dgamma) add_parameter_sums<T>(some);
  }
}

HWY_ATTR void run_floats(const NormRowsCall& c) {
  if (c.dtype == DType::f32) {
    run_call<float>(c);
  } else {
    run_call<bf16>(c);
  }
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(run_floats);

void run_norm_rows(const NormRowsCall& c) {
  if (c.dtype == DType::f64) {
    HWY_STATIC_DISPATCH(run_call<double>)(c);
  } else {
    HWY_DYNAMIC_DISPATCH(run_floats)(c);
  }
}

}  // namespace imago::kernels
#endif
