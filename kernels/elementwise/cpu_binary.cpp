#include "kernels/elementwise/cpu_map.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/cpu_binary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <Binary op, class T>
HWY_ATTR void binary_loop(const T* x, const T* y, T* out, std::int64_t n, acc_t<T> a, acc_t<T> b) {
  using C = acc_t<T>;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(formula<op, C>(static_cast<C>(x[i]), static_cast<C>(y[i]), a, b));
  }
}

template <Binary op, class T>
HWY_ATTR void binary_loop_first(const T* x, const T* y, T* out, std::int64_t n, acc_t<T> a,
                                acc_t<T> b) {
  using C = acc_t<T>;
  const C y0 = static_cast<C>(*y);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(formula<op, C>(static_cast<C>(x[i]), y0, a, b));
  }
}

template <Binary op, class T>
HWY_ATTR void binary_loop_second(const T* x, const T* y, T* out, std::int64_t n, acc_t<T> a,
                                 acc_t<T> b) {
  using C = acc_t<T>;
  const C x0 = static_cast<C>(*x);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(formula<op, C>(x0, static_cast<C>(y[i]), a, b));
  }
}

// One operand is a single element, but repeated in an array: see pow in cpu_unary.cpp.
template <Binary op, class T>
HWY_ATTR void binary_loop_spread(bool first, const T* x, const T* y, T* out, std::int64_t n,
                                 acc_t<T> a, acc_t<T> b) {
  constexpr std::int64_t stretch = 256;
  T repeated[stretch];
  for (T& element : repeated) element = first ? *y : *x;
  for (std::int64_t i = 0; i < n; i += stretch) {
    const std::int64_t count = n - i < stretch ? n - i : stretch;
    binary_loop<op, T>(first ? x + i : repeated, first ? repeated : y + i, out + i, count, a, b);
  }
}

template <class T>
HWY_ATTR void binary_any(Binary op, Operands operands, const T* x, const T* y, T* out,
                         std::int64_t n, acc_t<T> a, acc_t<T> b) {
  with_op(op, [&]<Binary o> {
    if constexpr (o == Binary::pow) {
      if (operands != Operands::both) {
        return binary_loop_spread<o, T>(operands == Operands::first_only, x, y, out, n, a, b);
      }
    } else if constexpr (broadcasts(o)) {
      if (operands == Operands::first_only) return binary_loop_first<o, T>(x, y, out, n, a, b);
      if (operands == Operands::second_only) return binary_loop_second<o, T>(x, y, out, n, a, b);
    }
    binary_loop<o, T>(x, y, out, n, a, b);
  });
}

template <class T>
HWY_ATTR void rows_any(Binary op, Operands operands, const T* x, std::int64_t x_step, const T* y,
                       std::int64_t y_step, T* out, std::int64_t rows, std::int64_t n, acc_t<T> a,
                       acc_t<T> b) {
  with_op(op, [&]<Binary o> {
    if constexpr (broadcasts(o) && o != Binary::pow) {
      for (std::int64_t r = 0; r < rows; ++r, x += x_step, y += y_step, out += n) {
        if (operands == Operands::first_only) {
          binary_loop_first<o, T>(x, y, out, n, a, b);
        } else {
          binary_loop_second<o, T>(x, y, out, n, a, b);
        }
      }
    }
  });
}

HWY_ATTR void binary_f32(Binary op, Operands operands, const float* x, const float* y, float* out,
                         std::int64_t n, float a, float b) {
  binary_any<float>(op, operands, x, y, out, n, a, b);
}
HWY_ATTR void binary_bf16(Binary op, Operands operands, const bf16* x, const bf16* y, bf16* out,
                          std::int64_t n, float a, float b) {
  binary_any<bf16>(op, operands, x, y, out, n, a, b);
}

HWY_ATTR void rows_f32(Binary op, Operands operands, const float* x, std::int64_t x_step,
                       const float* y, std::int64_t y_step, float* out, std::int64_t rows,
                       std::int64_t n, float a, float b) {
  rows_any<float>(op, operands, x, x_step, y, y_step, out, rows, n, a, b);
}
HWY_ATTR void rows_bf16(Binary op, Operands operands, const bf16* x, std::int64_t x_step,
                        const bf16* y, std::int64_t y_step, bf16* out, std::int64_t rows,
                        std::int64_t n, float a, float b) {
  rows_any<bf16>(op, operands, x, x_step, y, y_step, out, rows, n, a, b);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(binary_f32);
HWY_EXPORT(binary_bf16);

void map_binary(Binary op, Operands operands, const float* x, const float* y, float* out,
                std::int64_t n, float a, float b) {
  HWY_DYNAMIC_DISPATCH(binary_f32)(op, operands, x, y, out, n, a, b);
}
void map_binary(Binary op, Operands operands, const bf16* x, const bf16* y, bf16* out,
                std::int64_t n, float a, float b) {
  HWY_DYNAMIC_DISPATCH(binary_bf16)(op, operands, x, y, out, n, a, b);
}
void map_binary(Binary op, Operands operands, const double* x, const double* y, double* out,
                std::int64_t n, double a, double b) {
  HWY_STATIC_DISPATCH(binary_any<double>)(op, operands, x, y, out, n, a, b);
}

HWY_EXPORT(rows_f32);
HWY_EXPORT(rows_bf16);

void map_binary_rows(Binary op, Operands operands, const float* x, std::int64_t x_step,
                     const float* y, std::int64_t y_step, float* out, std::int64_t rows,
                     std::int64_t n, float a, float b) {
  HWY_DYNAMIC_DISPATCH(rows_f32)(op, operands, x, x_step, y, y_step, out, rows, n, a, b);
}
void map_binary_rows(Binary op, Operands operands, const bf16* x, std::int64_t x_step,
                     const bf16* y, std::int64_t y_step, bf16* out, std::int64_t rows,
                     std::int64_t n, float a, float b) {
  HWY_DYNAMIC_DISPATCH(rows_bf16)(op, operands, x, x_step, y, y_step, out, rows, n, a, b);
}
void map_binary_rows(Binary op, Operands operands, const double* x, std::int64_t x_step,
                     const double* y, std::int64_t y_step, double* out, std::int64_t rows,
                     std::int64_t n, double a, double b) {
  HWY_STATIC_DISPATCH(rows_any<double>)(op, operands, x, x_step, y, y_step, out, rows, n, a, b);
}

}  // namespace imago::kernels
#endif
