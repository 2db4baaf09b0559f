#include "kernels/image/engines.h"
#include "kernels/simd_targets.h"
#include "tensor/convert.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/image/cpu_bytes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <class T>
HWY_ATTR void from_bytes(const std::uint8_t* bytes, T* out, std::int64_t n) {
  using A = acc_t<T>;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(static_cast<A>(bytes[i]) / A(127.5) - A(1));
  }
}

template <class T>
HWY_ATTR void to_bytes(const T* x, std::uint8_t* bytes, std::int64_t n) {
  using A = acc_t<T>;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    // Dropping the fraction of a positive number rounds down, so adding a half rounds.
    bytes[i] = convert<std::uint8_t>((static_cast<A>(x[i]) + A(1)) * A(127.5) + A(0.5));
  }
}

HWY_ATTR void from_bytes_f32(const std::uint8_t* bytes, float* out, std::int64_t n) {
  from_bytes(bytes, out, n);
}
HWY_ATTR void from_bytes_bf16(const std::uint8_t* bytes, bf16* out, std::int64_t n) {
  from_bytes(bytes, out, n);
}
HWY_ATTR void to_bytes_f32(const float* x, std::uint8_t* bytes, std::int64_t n) {
  to_bytes(x, bytes, n);
}
HWY_ATTR void to_bytes_bf16(const bf16* x, std::uint8_t* bytes, std::int64_t n) {
  to_bytes(x, bytes, n);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(from_bytes_f32);
HWY_EXPORT(from_bytes_bf16);
HWY_EXPORT(to_bytes_f32);
HWY_EXPORT(to_bytes_bf16);

void map_from_bytes(const std::uint8_t* bytes, float* out, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(from_bytes_f32)(bytes, out, n);
}
void map_from_bytes(const std::uint8_t* bytes, bf16* out, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(from_bytes_bf16)(bytes, out, n);
}
void map_from_bytes(const std::uint8_t* bytes, double* out, std::int64_t n) {
  HWY_STATIC_DISPATCH(from_bytes<double>)(bytes, out, n);
}
void map_to_bytes(const float* x, std::uint8_t* bytes, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(to_bytes_f32)(x, bytes, n);
}
void map_to_bytes(const bf16* x, std::uint8_t* bytes, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(to_bytes_bf16)(x, bytes, n);
}
void map_to_bytes(const double* x, std::uint8_t* bytes, std::int64_t n) {
  HWY_STATIC_DISPATCH(to_bytes<double>)(x, bytes, n);
}

}  // namespace imago::kernels
#endif
