// Small arithmetic of the face renderer. Only +, -, *, / and sqrt, written so that a compiler can
// turn loops over it into SIMD code; nothing here depends on the machine's libm.
#pragma once

#include <cmath>
#include <cstdint>

namespace imago::data::faces {

struct Vec3 {
  float x = 0, y = 0, z = 0;
};

inline float least(float a, float b) {
  return a < b ? a : b;
}
inline float most(float a, float b) {
  return a > b ? a : b;
}
inline float clamp(float x, float low, float high) {
  return least(most(x, low), high);
}
inline float sat(float x) {
  return least(most(x, 0.0f), 1.0f);
}
inline float mix(float a, float b, float t) {
  return a + (b - a) * t;
}
inline float abs(float x) {
  return x < 0 ? -x : x;
}
inline float square(float x) {
  return x * x;
}

// 0 below a, 1 above b, cubic between.
inline float ramp(float a, float b, float x) {
  const float t = sat((x - a) / (b - a));
  return t * t * (3.0f - 2.0f * t);
}

// A bell of squared radius q: 1 at q = 0, 0 from q = 1, two continuous derivatives.
inline float bell(float q) {
  const float k = most(1.0f - q, 0.0f);
  return k * k * k;
}

// How much of a pixel lies inside (d < 0) an edge at signed distance d; inv is 1 / pixel width.
inline float inside(float d, float inv) {
  return sat(0.5f - d * inv);
}

// How much of a pixel at distance d from a line is covered by the line of half width hw.
inline float band(float d, float hw, float inv) {
  return sat((d + hw) * inv + 0.5f) - sat((d - hw) * inv + 0.5f);
}

// A smooth wave of period 1 and amplitude 1 made of parabolas. |x| < 1024.
inline float wave(float x) {
  const float shifted = x + 1024.0f;
  const float p = 2.0f * (shifted - static_cast<float>(static_cast<std::int32_t>(shifted))) - 1.0f;
  return 4.0f * p * (1.0f - abs(p));
}

inline std::uint32_t mix_bits(std::uint32_t h) {
  h ^= h >> 15;
  h *= 0x2c1b3c6dU;
  h ^= h >> 12;
  h *= 0x297a2d39U;
  h ^= h >> 15;
  return h;
}

// In [0, 1).
inline float lattice(std::int32_t x, std::int32_t y, std::uint32_t key) {
  const std::uint32_t h = mix_bits(static_cast<std::uint32_t>(x) * 0x8da6b343U +
                                   static_cast<std::uint32_t>(y) * 0xd8163841U + key);
  return static_cast<float>(static_cast<std::int32_t>(h >> 8)) * (1.0f / 16777216.0f);
}

// Value noise in [0, 1); |x|, |y| < 4096.
inline float noise1(float x, std::uint32_t key) {
  const std::int32_t i = static_cast<std::int32_t>(x + 4096.0f) - 4096;
  float t = x - static_cast<float>(i);
  t = t * t * (3.0f - 2.0f * t);
  return mix(lattice(i, 0, key), lattice(i + 1, 0, key), t);
}
inline float noise2(float x, float y, std::uint32_t key) {
  const std::int32_t i = static_cast<std::int32_t>(x + 4096.0f) - 4096;
  const std::int32_t j = static_cast<std::int32_t>(y + 4096.0f) - 4096;
  float t = x - static_cast<float>(i), u = y - static_cast<float>(j);
  t = t * t * (3.0f - 2.0f * t);
  u = u * u * (3.0f - 2.0f * u);
  return mix(mix(lattice(i, j, key), lattice(i + 1, j, key), t),
             mix(lattice(i, j + 1, key), lattice(i + 1, j + 1, key), t), u);
}

// Sine and cosine by Taylor series, for |x| <= pi / 2 (error below 1e-7).
inline float sine(float x) {
  const double a = x, s = a * a;
  return static_cast<float>(
      a * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110))))));
}
inline float cosine(float x) {
  const double a = x, s = a * a;
  return static_cast<float>(
      1 - s / 2 * (1 - s / 12 * (1 - s / 30 * (1 - s / 56 * (1 - s / 90 * (1 - s / 132))))));
}

inline Vec3 normalised(Vec3 v) {
  const float n = 1.0f / std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z + 1e-12f);
  return {v.x * n, v.y * n, v.z * n};
}

}  // namespace imago::data::faces
