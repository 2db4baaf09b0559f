// IEEE half precision, which some files hold and no kernel computes in.
#pragma once

#include <bit>
#include <cstdint>

namespace imago {

// The f32 of the same value: every half is one. Infinities stay, NaN stays a NaN with its payload.
constexpr float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t fraction = half & 0x3ffu;
  // Zero and subnormal numbers count in units of 2^-24, exactly representable in f32.
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t widened = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

}  // namespace imago
