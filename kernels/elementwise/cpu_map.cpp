#include "kernels/elementwise/cpu_map.h"

#include "kernels/simd_targets.h"

// Highway compiles this file once per SIMD target and picks at run time; the loops themselves are
// plain and left to the compiler's vectoriser.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/cpu_map.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// bf16 elements are computed in f32.
template <class T>
using compute_t = acc_t<T>;

template <Unary op, class T>
HWY_ATTR void unary_loop(const T* x, T* out, std::int64_t n, compute_t<T> a) {
  using C = compute_t<T>;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(formula<op, C>(static_cast<C>(x[i]), a));
  }
}

template <Binary op, class T>
HWY_ATTR void binary_loop(Operands operands, const T* x, const T* y, T* out, std::int64_t n,
                          compute_t<T> a) {
  using C = compute_t<T>;
  switch (operands) {
    case Operands::both:
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) {
        out[i] = static_cast<T>(formula<op, C>(static_cast<C>(x[i]), static_cast<C>(y[i]), a));
      }
      return;
    case Operands::first_only: {
      const C y0 = static_cast<C>(*y);
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) {
        out[i] = static_cast<T>(formula<op, C>(static_cast<C>(x[i]), y0, a));
      }
      return;
    }
    case Operands::second_only: {
      const C x0 = static_cast<C>(*x);
#pragma GCC ivdep
      for (std::int64_t i = 0; i < n; ++i) {
        out[i] = static_cast<T>(formula<op, C>(x0, static_cast<C>(y[i]), a));
      }
      return;
    }
  }
}

template <class T>
HWY_ATTR void unary_any(Unary op, const T* x, T* out, std::int64_t n, compute_t<T> a) {
  with_op(op, [&]<Unary o> { unary_loop<o, T>(x, out, n, a); });
}

template <class T>
HWY_ATTR void binary_any(Binary op, Operands operands, const T* x, const T* y, T* out,
                         std::int64_t n, compute_t<T> a) {
  with_op(op, [&]<Binary o> { binary_loop<o, T>(operands, x, y, out, n, a); });
}

HWY_ATTR void unary_f32(Unary op, const float* x, float* out, std::int64_t n, float a) {
  unary_any<float>(op, x, out, n, a);
}
HWY_ATTR void unary_bf16(Unary op, const bf16* x, bf16* out, std::int64_t n, float a) {
  unary_any<bf16>(op, x, out, n, a);
}
HWY_ATTR void binary_f32(Binary op, Operands operands, const float* x, const float* y, float* out,
                         std::int64_t n, float a) {
  binary_any<float>(op, operands, x, y, out, n, a);
}
HWY_ATTR void binary_bf16(Binary op, Operands operands, const bf16* x, const bf16* y, bf16* out,
                          std::int64_t n, float a) {
  binary_any<bf16>(op, operands, x, y, out, n, a);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(unary_f32);
HWY_EXPORT(unary_bf16);
HWY_EXPORT(binary_f32);
HWY_EXPORT(binary_bf16);

void map_unary(Unary op, const float* x, float* out, std::int64_t n, float a) {
  HWY_DYNAMIC_DISPATCH(unary_f32)(op, x, out, n, a);
}
void map_unary(Unary op, const bf16* x, bf16* out, std::int64_t n, float a) {
  HWY_DYNAMIC_DISPATCH(unary_bf16)(op, x, out, n, a);
}
void map_unary(Unary op, const double* x, double* out, std::int64_t n, double a) {
  HWY_STATIC_DISPATCH(unary_any<double>)(op, x, out, n, a);
}
void map_binary(Binary op, Operands operands, const float* x, const float* y, float* out,
                std::int64_t n, float a) {
  HWY_DYNAMIC_DISPATCH(binary_f32)(op, operands, x, y, out, n, a);
}
void map_binary(Binary op, Operands operands, const bf16* x, const bf16* y, bf16* out,
                std::int64_t n, float a) {
  HWY_DYNAMIC_DISPATCH(binary_bf16)(op, operands, x, y, out, n, a);
}
void map_binary(Binary op, Operands operands, const double* x, const double* y, double* out,
                std::int64_t n, double a) {
  HWY_STATIC_DISPATCH(binary_any<double>)(op, operands, x, y, out, n, a);
}

}  // namespace imago::kernels
#endif
