// One element from any dtype to any: the one rule for casts, fills and constants. Floating to
// integer drops the fraction and saturates, NaN becomes 0; integer to integer saturates.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "tensor/dtype.h"

namespace imago {

// Saturates instead of the undefined behaviour of a plain conversion out of range.
// constexpr so that device code may call it.
template <class To, class From>
constexpr To convert(From value) {
  if constexpr (std::is_same_v<To, From>) {
    return value;
  } else if constexpr (std::is_same_v<From, bf16>) {
    return convert<To>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bf16>) {
    // From f64 through f32: rounds twice, as every backend does. Integers round once to f32 first.
    return bf16(static_cast<float>(value));
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    // 2^digits is the first value too large and is exact in either floating type.
    constexpr From end = From(2) * static_cast<From>(std::numeric_limits<To>::max() / 2 + 1);
    constexpr From low = std::is_signed_v<To> ? -end : From(0);
    if (value != value) return To(0);
    if (value >= end) return std::numeric_limits<To>::max();
    if (value <= low) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  } else {
    const auto wide = static_cast<std::int64_t>(value);
    if (wide > static_cast<std::int64_t>(std::numeric_limits<To>::max())) {
      return std::numeric_limits<To>::max();
    }
    if (wide < static_cast<std::int64_t>(std::numeric_limits<To>::min())) {
      return std::numeric_limits<To>::min();
    }
    return static_cast<To>(wide);
  }
}

}  // namespace imago
