#include "kernels/optimizer/engines.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/optimizer/cpu_update.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <utility>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <class F, class T>
HWY_ATTR void update_loop(const F& formula, const Slice<T>& slice) {
  constexpr int arrays = F::written;
  const F f = formula;
  T* a = slice.written[0];
  T* b = slice.written[arrays > 1 ? 1 : 0];
  T* c = slice.written[arrays > 2 ? 2 : 0];
  T* d = slice.written[arrays > 3 ? 3 : 0];
  const T* r = slice.read;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < slice.n; ++i) {
    T w[arrays];
    w[0] = a[i];
    if constexpr (arrays > 1) w[1] = b[i];
    if constexpr (arrays > 2) w[2] = c[i];
    if constexpr (arrays > 3) w[3] = d[i];
    T read = 0;
    if constexpr (F::reads) read = r[i];
    f(w, read);
    a[i] = w[0];
    if constexpr (arrays > 1) b[i] = w[1];
    if constexpr (arrays > 2) c[i] = w[2];
    if constexpr (arrays > 3) d[i] = w[3];
  }
}

template <class T, std::size_t... i>
HWY_ATTR void update_any(const Formula<T>& formula, const Slice<T>& slice,
                         std::index_sequence<i...>) {
  ((formula.index() == i && (update_loop(*std::get_if<i>(&formula), slice), true)) || ...);
}

HWY_ATTR void update_f32(const Formula<float>& formula, const Slice<float>& slice) {
  update_any(formula, slice, std::make_index_sequence<std::variant_size_v<Formula<float>>>());
}
HWY_ATTR void update_f64(const Formula<double>& formula, const Slice<double>& slice) {
  update_any(formula, slice, std::make_index_sequence<std::variant_size_v<Formula<double>>>());
}

template <class T>
HWY_ATTR double squares_loop(const T* x, std::int64_t n) {
  alignas(64) double sum[norm_accumulators] = {};
  std::int64_t row = 0;
  for (; row + norm_accumulators <= n; row += norm_accumulators) {
    for (std::int64_t j = 0; j < norm_accumulators; ++j) {
      const double v = static_cast<double>(x[row + j]);
      sum[j] += v * v;
    }
  }
  for (std::int64_t j = 0; row + j < n; ++j) {
    const double v = static_cast<double>(x[row + j]);
    sum[j] += v * v;
  }
  for (std::int64_t half = norm_accumulators / 2; half >= 1; half /= 2) {
    for (std::int64_t j = 0; j < half; ++j) sum[j] += sum[j + half];
  }
  return sum[0];
}

HWY_ATTR double squares_f32(const float* x, std::int64_t n) {
  return squares_loop(x, n);
}
HWY_ATTR double squares_f64(const double* x, std::int64_t n) {
  return squares_loop(x, n);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);
HWY_EXPORT(squares_f32);
HWY_EXPORT(squares_f64);

void update_slice(const Formula<float>& formula, const Slice<float>& slice) {
  HWY_DYNAMIC_DISPATCH(update_f32)(formula, slice);
}
void update_slice(const Formula<double>& formula, const Slice<double>& slice) {
  HWY_DYNAMIC_DISPATCH(update_f64)(formula, slice);
}
double sum_of_squares(const float* x, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(squares_f32)(x, n);
}
double sum_of_squares(const double* x, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(squares_f64)(x, n);
}

}  // namespace imago::kernels
#endif
