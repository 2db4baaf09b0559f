// Scalar functions that compilers turn into SIMD code: no branches, no tables, no calls. In f32
// they are written with +, x, / and integer operations only, so every SIMD target computes the same
// bits; errors are at most 3 units in the last place. In f64 they are the standard library's
// of the device they run on.
//
// NaN stays NaN in all of them; infinities, zeros and denormals
// give what the standard library does.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tensor/host_device.h"
#include "tensor/philox.h"

namespace imago::kernels::math {

// e^(x + rest) for a |rest| far below 1: x = n ln 2 + r with |r| <= ln(2) / 2, e^(r + rest) by its
// Taylor series to the seventh power (remainder below 6e-9), times 2^n in two steps because 2^n
// alone may not be a normal number.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float exp_of_sum(float x, float rest) {
  x = x > 89.0f ? 89.0f : x;  // e^89 is infinite in f32
  x = x < -104.0f ? -104.0f : x;
  constexpr float round_magic = 12582912.0f;  // 1.5 * 2^23: adding it leaves an integer in the bits
  const float shifted = x * 1.44269504f + round_magic;
  const float n = shifted - round_magic;
  const std::uint32_t n_bits = std::bit_cast<std::uint32_t>(shifted) - 0x4b400000u;
  const float r = ((x - n * 0.693359375f) - n * -2.12194440e-4f) + rest;
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = (p * r) * r + r;
  p = p + 1.0f;
  const std::uint32_t half = static_cast<std::uint32_t>(static_cast<std::int32_t>(n_bits) >> 1);
  const std::uint32_t rest_of_n = n_bits - half;
  return (p * std::bit_cast<float>((half + 127u) << 23)) *
         std::bit_cast<float>((rest_of_n + 127u) << 23);
}

// -0 as the rest changes no r, so the compiler leaves the sum out.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float exp(float x) {
  return exp_of_sum(x, -0.0f);
}

// Natural logarithm; -inf at 0, NaN below. Denormals are scaled into the normal range first.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float log(float x) {
  const bool tiny = x < 0x1p-126f;
  const float r = portable::log(tiny ? x * 0x1p23f : x) - (tiny ? 15.9423847f : 0.0f);  // 23 ln 2
  const float below =
      x == 0.0f ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  const float in_domain = x > 0.0f ? r : below;
  return x < std::numeric_limits<float>::infinity() ? in_domain : x;
}

// log(1 + u) for u in [0, 1] = 2 atanh(s) with s = u / (2 + u) <= 1/3, by its series.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float log1p_unit(float u) {
  const float s = u / (2.0f + u);
  const float z = s * s;
  float p = 2.0f / 15.0f;
  p = p * z + 2.0f / 13.0f;
  p = p * z + 2.0f / 11.0f;
  p = p * z + 2.0f / 9.0f;
  p = p * z + 2.0f / 7.0f;
  p = p * z + 2.0f / 5.0f;
  p = p * z + 2.0f / 3.0f;
  return (p * z) * s + 2.0f * s;
}

// tanh: near 0 the fifth convergent of Lambert's continued fraction
// x / (1 + x^2 / (3 + x^2 / (5 + ...))), elsewhere (1 - t) / (1 + t) with t = e^(-2 |x|).
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float tanh(float x) {
  const float size = std::fabs(x);
  const float t = exp(-2.0f * size);
  const float z = x * x;
  const bool small = size < 0.625f;
  const float numerator = small ? size * ((z + 105.0f) * z + 945.0f) : 1.0f - t;
  const float denominator = small ? (15.0f * z + 420.0f) * z + 945.0f : 1.0f + t;
  return std::copysign(numerator / denominator, x);
}

[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float sqrt(float x) {
  return std::sqrt(x);
}

IMAGO_HOST_DEVICE inline double exp(double x) {
  return std::exp(x);
}
IMAGO_HOST_DEVICE inline double log(double x) {
  return std::log(x);
}
IMAGO_HOST_DEVICE inline double log1p_unit(double u) {
  return std::log1p(u);
}
IMAGO_HOST_DEVICE inline double tanh(double x) {
  return std::tanh(x);
}
IMAGO_HOST_DEVICE inline double sqrt(double x) {
  return std::sqrt(x);
}

// 1 / (1 + e^-x), from e^-|x| so that nothing overflows.
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T sigmoid(T x) {
  const T e = exp(-std::fabs(x));
  return (x < T(0) ? e : T(1)) / (T(1) + e);
}

// s(x) and s(-x) = 1 - s(x), s the sigmoid, each with all its digits.
template <class T>
struct SigmoidPair {
  T below, above;
};
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline SigmoidPair<T> sigmoid_pair(T x) {
  const T e = exp(-std::fabs(x));
  const T large = T(1) / (T(1) + e);
  const T small = e * large;
  return {x < T(0) ? small : large, x < T(0) ? large : small};
}

// x s(x), -0 at minus infinity.
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T silu(T x) {
  const T low = T(sizeof(T) == 4 ? -110 : -750);  // s(x) is 0 below
  return (x < low ? low : x) * sigmoid(x);
}
// Its derivative s + x s (1 - s).
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T silu_slope(T x) {
  const T far = T(sizeof(T) == 4 ? 110 : 750);  // s (1 - s) is 0 outside
  const T near = x > far ? far : x < -far ? -far : x;
  const SigmoidPair<T> s = sigmoid_pair(x);
  return s.below + near * (s.below * s.above);
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|).
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T softplus(T x) {
  return (x < T(0) ? T(0) : x) + log1p_unit(exp(-std::fabs(x)));
}

}  // namespace imago::kernels::math
