// Powers, in the style of math.h.
#pragma once

#include "kernels/elementwise/math.h"

namespace imago::kernels::math {

// x^y as the C library's pow, special cases included (1^y = x^0 = 1 even for NaN; NaN for a
// negative x and a y that is no integer). x^y = e^(y log |x|) in f64, whose 53 bits leave room for
// the digits that a large y log |x| takes from the result: less than 0.51 units in the last place
// of f32. f64 sums, products and quotients round alike everywhere, too.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float pow(float x, float y) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double round_magic = 0x1.8p52;                // adding it leaves an integer in the bits
  const double size = std::fabs(static_cast<double>(x));  // an f32 denormal is normal in f64

  // log: size = 2^e m with m in [sqrt(1/2), sqrt(2)), log m = 2 atanh(s) with s = (m - 1) / (m + 1)
  // by its series, remainder below 2^-39. The exponent e + 1023 stands in the bits of 2^52 + it.
  constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcdu;  // the bits of sqrt(1/2)
  constexpr std::uint64_t lift = std::uint64_t{1023} << 52;
  const std::uint64_t shifted = std::bit_cast<std::uint64_t>(size) - root_half + lift;
  const double e = std::bit_cast<double>((shifted >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
  const double m = std::bit_cast<double>((shifted & 0xfffffffffffffu) + root_half);
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  p = (p * z) * s + 2.0 * s;
  double log_size = e * 0.69314718055994530942 + p;
  log_size = size == 0.0 ? -infinity : log_size;
  log_size = size < infinity ? log_size : size;  // infinity and NaN

  // exp: the remainder of its Taylor series to r^8 is below 2^-31.
  const double wide_y = static_cast<double>(y);
  double t = wide_y * log_size;
  t = (wide_y == 0.0) | (size == 1.0) ? 0.0 : t;  // 0 inf, and NaN
  t = t > 200.0 ? 200.0 : t;                      // infinite in f32
  t = t < -200.0 ? -200.0 : t;                    // 0 in f32
  const double n_bits = t * 1.44269504088896340736 + round_magic;
  const double r = t - (n_bits - round_magic) * 0.69314718055994530942;
  double q = 1.0 / 40320.0;
  q = q * r + 1.0 / 5040.0;
  q = q * r + 1.0 / 720.0;
  q = q * r + 1.0 / 120.0;
  q = q * r + 1.0 / 24.0;
  q = q * r + 1.0 / 6.0;
  q = q * r + 0.5;
  q = q * r + 1.0;
  q = q * r + 1.0;
  const double two_to_n =
      std::bit_cast<double>((std::bit_cast<std::uint64_t>(n_bits) + 1023u) << 52);
  const float power = static_cast<float>(q * two_to_n);

  // A negative base. Adding 2^23 to a smaller number rounds it to an integer; from 2^23 on every
  // f32 is one, from 2^24 on an even one. A y that is no integer makes the factor NaN, an odd one
  // -1.
  const float size_y = std::fabs(y);
  const float small_y = size_y >= 0x1p24f ? 0.0f : size_y;  // keeps NaN
  const float whole = small_y < 0x1p23f ? (small_y + 0x1p23f) - 0x1p23f : small_y;
  const float half = 0.5f * small_y;
  const float whole_half = (half + 0x1p23f) - 0x1p23f;
  const float of_integer = whole_half == half ? 1.0f : -1.0f;
  // Zeros and infinities have even powers where y is no integer.
  const float size_x = std::fabs(x);
  const float elsewhere = size_x > 0.0f ? std::numeric_limits<float>::quiet_NaN() : 1.0f;
  const float of_fraction = size_x < std::numeric_limits<float>::infinity() ? elsewhere : 1.0f;
  const float of_negative = whole == small_y ? of_integer : of_fraction;
  const std::uint32_t is_negative = std::bit_cast<std::uint32_t>(x) >> 31;
  return power * (is_negative != 0 ? of_negative : 1.0f);
}
IMAGO_HOST_DEVICE inline double pow(double x, double y) {
  return std::pow(x, y);
}

}  // namespace imago::kernels::math
