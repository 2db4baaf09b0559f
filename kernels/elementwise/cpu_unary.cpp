#include "kernels/elementwise/cpu_map.h"
#include "kernels/simd_targets.h"

// Highway compiles this file once per SIMD target and picks at run time; the loops themselves are
// plain and left to the compiler's vectoriser.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/cpu_unary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// bf16 elements are computed in f32.
template <Unary op, class T>
HWY_ATTR void unary_loop(const T* x, T* out, std::int64_t n, acc_t<T> a, acc_t<T> b) {
  using C = acc_t<T>;
  if constexpr (op == Unary::pow) {
    // The exponent as an array: the compiler makes no SIMD code of a choice by a value that is the
    // same in all lanes.
    constexpr std::int64_t stretch = 256;
    C exponents[stretch];
    for (C& exponent : exponents) exponent = a;
    for (std::int64_t begin = 0; begin < n; begin += stretch) {
      const std::int64_t count = n - begin < stretch ? n - begin : stretch;
#pragma GCC ivdep
      for (std::int64_t i = 0; i < count; ++i) {
        const C value = static_cast<C>(x[begin + i]);
        out[begin + i] = static_cast<T>(formula<op, C>(value, exponents[i], b));
      }
    }
    return;
  }
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(formula<op, C>(static_cast<C>(x[i]), a, b));
  }
}

template <class T>
HWY_ATTR void unary_any(Unary op, const T* x, T* out, std::int64_t n, acc_t<T> a, acc_t<T> b) {
  with_op(op, [&]<Unary o> { unary_loop<o, T>(x, out, n, a, b); });
}

HWY_ATTR void unary_f32(Unary op, const float* x, float* out, std::int64_t n, float a, float b) {
  unary_any<float>(op, x, out, n, a, b);
}
HWY_ATTR void unary_bf16(Unary op, const bf16* x, bf16* out, std::int64_t n, float a, float b) {
  unary_any<bf16>(op, x, out, n, a, b);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(unary_f32);
HWY_EXPORT(unary_bf16);

void map_unary(Unary op, const float* x, float* out, std::int64_t n, float a, float b) {
  HWY_DYNAMIC_DISPATCH(unary_f32)(op, x, out, n, a, b);
}
void map_unary(Unary op, const bf16* x, bf16* out, std::int64_t n, float a, float b) {
  HWY_DYNAMIC_DISPATCH(unary_bf16)(op, x, out, n, a, b);
}
void map_unary(Unary op, const double* x, double* out, std::int64_t n, double a, double b) {
  HWY_STATIC_DISPATCH(unary_any<double>)(op, x, out, n, a, b);
}

}  // namespace imago::kernels
#endif
