// Element types. f32, f64 and bf16 carry gradients; i32 and i64 hold labels and indices; u8 holds
// images and masks until they are normalised.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <type_traits>

#include "tensor/error.h"

namespace imago {

enum class DType : std::uint8_t { f32, f64, bf16, i32, i64, u8 };

// Brain floating point: the upper half of an f32. Converting from f32 rounds to nearest, ties to
// even, and keeps NaN a NaN. The conversions are constexpr so that device code may call them.
struct bf16 {
  std::uint16_t bits;

  bf16() = default;
  constexpr explicit bf16(float value) {
    const auto u = std::bit_cast<std::uint32_t>(value);
    if ((u & 0x7fffffffu) > 0x7f800000u) {
      bits = static_cast<std::uint16_t>((u >> 16) | 0x40u);
    } else {
      bits = static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
    }
  }
  constexpr operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
};
static_assert(sizeof(bf16) == 2 && std::is_trivially_copyable_v<bf16>);

// The type in which values of T are summed, and in which batch-norm parameters, statistics and
// losses of a T tensor are kept: f64 for f64, f32 for the other floating types.
template <class T>
using acc_t = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, bf16>) return DType::bf16;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::i32;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u8;
}

std::size_t size_of(DType dtype);  // bytes of one element
const char* name_of(DType dtype);  // "f32", "bf16", ...
bool is_floating(DType dtype);
// acc_t as a run-time value: f64 for f64, f32 for f32 and bf16; throws for integers.
DType acc_dtype(DType dtype);
std::ostream& operator<<(std::ostream& out, DType dtype);

// Calls f.template operator()<T>() for the T of `dtype` among Ts; throws "[op] ..." when the dtype
// is not one of Ts. The list at the innermost launcher is the support matrix of an op.
template <class... Ts, class F>
void dispatch(DType dtype, const char* op, F&& f) {
  const bool found =
      ((dtype == dtype_of<Ts>() ? (f.template operator()<Ts>(), true) : false) || ...);
  if (!found) {
    std::ostringstream list;
    const char* separator = "";
    ((list << separator << name_of(dtype_of<Ts>()), separator = ", "), ...);
    fail(op, "does not take ", name_of(dtype), "; it takes ", list.str());
  }
}

}  // namespace imago
