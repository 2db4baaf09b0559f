#include "kernels/elementwise/cpu_map.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/cpu_compare.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// What is compared: bf16 as f32, all else as it is.
template <class T>
auto comparable(T x) {
  if constexpr (std::is_same_v<T, bf16>) {
    return static_cast<float>(x);
  } else {
    return x;
  }
}

template <Comparison op, class T>
HWY_ATTR void compare_loop(const T* x, const T* y, std::uint8_t* out, std::int64_t n) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = compared(op, comparable(x[i]), comparable(y[i])) ? 1 : 0;
  }
}

template <class T>
HWY_ATTR void compare_any(Comparison op, const T* x, const T* y, std::uint8_t* out,
                          std::int64_t n) {
  switch (op) {
    case Comparison::equal:
      return compare_loop<Comparison::equal>(x, y, out, n);
    case Comparison::not_equal:
      return compare_loop<Comparison::not_equal>(x, y, out, n);
    case Comparison::less:
      return compare_loop<Comparison::less>(x, y, out, n);
    case Comparison::less_equal:
      return compare_loop<Comparison::less_equal>(x, y, out, n);
    case Comparison::logical_and:
      return compare_loop<Comparison::logical_and>(x, y, out, n);
    case Comparison::logical_or:
      return compare_loop<Comparison::logical_or>(x, y, out, n);
  }
}

template <class T>
HWY_ATTR void where_any(const std::uint8_t* mask, const T* x, const T* y, T* out, std::int64_t n) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    const T a = x[i], b = y[i];
    out[i] = mask[i] != 0 ? a : b;
  }
}

// One entry for all dtypes: stretches are long enough to pay for the choice.
HWY_ATTR void compare_dtype(DType dtype, Comparison op, const void* x, const void* y,
                            std::uint8_t* out, std::int64_t n) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype, name_of(op), [&]<class T> {
        compare_any<T>(op, static_cast<const T*>(x), static_cast<const T*>(y), out, n);
      });
}

HWY_ATTR void where_dtype(DType dtype, const std::uint8_t* mask, const void* x, const void* y,
                          void* out, std::int64_t n) {
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      dtype, "where", [&]<class Element> {
        using T = std::conditional_t<std::is_same_v<Element, bf16>, std::uint16_t, Element>;
        where_any<T>(mask, static_cast<const T*>(x), static_cast<const T*>(y), static_cast<T*>(out),
                     n);
      });
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(compare_dtype);
HWY_EXPORT(where_dtype);

void map_compare(DType dtype, Comparison op, const void* x, const void* y, std::uint8_t* out,
                 std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(compare_dtype)(dtype, op, x, y, out, n);
}
void map_where(DType dtype, const std::uint8_t* mask, const void* x, const void* y, void* out,
               std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(where_dtype)(dtype, mask, x, y, out, n);
}

}  // namespace imago::kernels
#endif
