// The error function and the normal distribution, in the style of math.h: portable bits in f32, the
// standard library in f64.
#pragma once

#include "kernels/elementwise/math.h"

namespace imago::kernels::math {

// e^(-x^2 / 2). The square has twice the digits of x and its exponential shows all of them, so it
// is taken in two parts: h, the upper 12 bits of x, squares exactly, and x^2 - h^2 = (x - h)(x + h)
// joins the remainder inside exp.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float gauss(float x) {
  x = std::fabs(x);
  x = x > 15.0f ? 15.0f : x;  // 0 from 14.5 on
  const float h = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xfffff000u);
  return exp_of_sum(-0.5f * (h * h), -0.5f * ((x - h) * (x + h)));
}

// What the distribution function of the standard normal and its density share:
// tail = P(Z > |x|) = gauss R(|x|), with R a rational minimax fit of Phi(-t) e^(t^2 / 2), relative
// error 2^-27 on [0, 14.5]; all coefficients are positive.
struct NormalTail {
  float tail, gauss;
};
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline NormalTail normal_tail(float x) {
  float t = std::fabs(x);
  t = t > 15.0f ? 15.0f : t;
  float p = 4.117759854e-3f;
  p = p * t + 4.064271769e-2f;
  p = p * t + 1.832628228e-1f;
  p = p * t + 4.383315576e-1f;
  p = p * t + 0.5f;
  float q = 1.032157375e-2f;
  q = q * t + 1.018826227e-1f;
  q = q * t + 4.695438388e-1f;
  q = q * t + 1.202616915f;
  q = q * t + 1.674548098f;
  q = q * t + 1.0f;
  const float g = gauss(x);
  return {g * (p / q), g};
}

// erf(x) = 2 Phi(sqrt(2) x) - 1: from the tail where it is small, near 0 as x P(x^2), with P a
// minimax fit of relative error 2^-30 on |x| < 0.7. At most 3 units in the last place.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float erf(float x) {
  const float z = x * x;
  float p = -6.927796735e-4f;
  p = p * z + 5.135806685e-3f;
  p = p * z - 2.684358218e-2f;
  p = p * z + 1.128352738e-1f;
  p = p * z - 3.761262751e-1f;
  p = p * z + 1.128379166f;
  const float far = std::copysign(1.0f - 2.0f * normal_tail(1.414213562f * x).tail, x);
  return std::fabs(x) < 0.7f ? x * p : far;
}

// Phi(x) = P(Z <= x), the distribution function of the standard normal: (1 + erf(x / sqrt(2))) / 2,
// but with its digits for negative x too. At most 4 units in the last place above -5, 7 below.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float normal_cdf(float x) {
  const float tail = normal_tail(x).tail;
  return x > 0.0f ? 1.0f - tail : tail;
}
// phi(x) = e^(-x^2 / 2) / sqrt(2 pi), its density.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float normal_density(float x) {
  return 0.3989422804f * gauss(x);
}

IMAGO_HOST_DEVICE inline double erf(double x) {
  return std::erf(x);
}
IMAGO_HOST_DEVICE inline double normal_cdf(double x) {
  return 0.5 * std::erfc(x * -0.70710678118654752440);
}
IMAGO_HOST_DEVICE inline double normal_density(double x) {
  return 0.39894228040143267794 * std::exp(-0.5 * x * x);
}

// Phi(x) + x phi(x), the derivative of x Phi(x).
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float gelu_slope(float x) {
  const NormalTail n = normal_tail(x);
  // Past 15 gauss is 0, but 0 times an infinite x would be NaN.
  const float near = x > 15.0f ? 15.0f : x < -15.0f ? -15.0f : x;
  return (x > 0.0f ? 1.0f - n.tail : n.tail) + near * (0.3989422804f * n.gauss);
}
IMAGO_HOST_DEVICE inline double gelu_slope(double x) {
  const double near = x > 40.0 ? 40.0 : x < -40.0 ? -40.0 : x;
  return normal_cdf(x) + near * normal_density(near);
}

// x Phi(x); -0 at minus infinity. At most 4 units in the last place above -5, 11 below.
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T gelu(T x) {
  const T far = T(sizeof(T) == 4 ? 15 : 40);  // Phi(-far) is 0
  return (x < -far ? -far : x) * normal_cdf(x);
}

// The approximation x (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), written as
// x s(2 u), s the sigmoid, which keeps digits where the tanh comes near -1: an error of 2 |u| units
// in the last place, which the exponential makes of the rounding of u.
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T gelu_tanh(T x) {
  const T low = T(sizeof(T) == 4 ? -15 : -25);  // s(2 u) is 0 below
  const T near = x < low ? low : x;
  constexpr T k = T(1.5957691216057307117);  // 2 sqrt(2 / pi)
  return near * sigmoid(k * (near + T(0.044715) * (near * near * near)));
}
// Its derivative s + x s (1 - s) (2 u)'.
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T gelu_tanh_slope(T x) {
  const T near = x > T(25) ? T(25) : x < T(-25) ? T(-25) : x;  // s (1 - s) is 0 outside
  constexpr T k = T(1.5957691216057307117);
  const T z = near * near;
  const SigmoidPair<T> s = sigmoid_pair(k * (near + T(0.044715) * (z * near)));
  return s.below + near * (s.below * s.above) * (k * (T(1) + T(3 * 0.044715) * z));
}

}  // namespace imago::kernels::math
