// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011). Element i of a draw is a pure function of
// (seed, step, draw, i), so any thread may compute any element.
//
// Everything here is written with +, -, x, / and sqrt on f32, all of which IEEE 754 rounds
// correctly, and with integer operations, without contraction, so that every backend computes the
// same bits.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "tensor/host_device.h"

namespace imago {

struct PhiloxBlock {
  std::uint32_t v[4];
};

// One block of four 32-bit words.
IMAGO_HOST_DEVICE inline PhiloxBlock philox4x32(std::uint64_t key, PhiloxBlock counter) {
  std::uint32_t k0 = static_cast<std::uint32_t>(key);
  std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32);
  PhiloxBlock c = counter;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c.v[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c.v[2];
    c = {{static_cast<std::uint32_t>(p1 >> 32) ^ c.v[1] ^ k0, static_cast<std::uint32_t>(p1),
          static_cast<std::uint32_t>(p0 >> 32) ^ c.v[3] ^ k1, static_cast<std::uint32_t>(p0)}};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

// What names one draw of a tensor of random numbers.
struct DrawKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t draw = 0;
};

// Words 4b .. 4b+3 of a draw.
IMAGO_HOST_DEVICE inline PhiloxBlock draw_block(DrawKey key, std::uint64_t b) {
  return philox4x32(key.seed, {{static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(b >> 32),
                                key.draw, key.step}});
}

// Uniform in [0, 1): the upper 24 bits. Converted as a signed number, because most SIMD targets
// have an instruction for those only.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float uniform_from_bits(std::uint32_t u) {
  return static_cast<float>(static_cast<std::int32_t>(u >> 8)) * 0x1p-24f;
}

namespace portable {

// log(x) for a positive normal x; error about 1 unit in the last place.
// x = 2^e * m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s),
// s = (m - 1) / (m + 1), by its series.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float log(float x) {
  std::uint32_t bits = 0;
#if defined(__CUDA_ARCH__)
  bits = __float_as_uint(x);
#else
  bits = std::bit_cast<std::uint32_t>(x);
#endif
  const std::uint32_t shifted = bits - 0x3f3504f3u;  // sqrt(1/2)
  const std::int32_t e = static_cast<std::int32_t>(shifted) >> 23;
  const std::uint32_t m_bits = (shifted & 0x007fffffu) + 0x3f3504f3u;
#if defined(__CUDA_ARCH__)
  const float m = __uint_as_float(m_bits);
#else
  const float m = std::bit_cast<float>(m_bits);
#endif
  const float s = (m - 1.0f) / (m + 1.0f);
  const float z = s * s;
  float p = 2.0f / 11.0f;
  p = p * z + 2.0f / 9.0f;
  p = p * z + 2.0f / 7.0f;
  p = p * z + 2.0f / 5.0f;
  p = p * z + 2.0f / 3.0f;
  const float ef = static_cast<float>(e);
  return ef * 0.693359375f + (ef * -2.12194440e-4f + (s * z * p + 2.0f * s));
}

// sin(pi x) and cos(pi x) for x in [-1/4, 1/4], by their series.
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float sinpi_small(float x) {
  const float z = x * x;
  float p = 0.08214588661f;
  p = p * z - 0.5992645293f;
  p = p * z + 2.550164040f;
  p = p * z - 5.167712780f;
  p = p * z + 3.141592654f;
  return p * x;
}
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline float cospi_small(float x) {
  const float z = x * x;
  float p = 0.2353306304f;
  p = p * z - 1.335262769f;
  p = p * z + 4.058712126f;
  p = p * z - 4.934802201f;
  return p * z + 1.0f;
}

}  // namespace portable

// Two standard normals from two words: the polar angle and radius of Box and Muller (1958).
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline void normals_from_bits(std::uint32_t a,
                                                                       std::uint32_t b, float& z0,
                                                                       float& z1) {
  const float u = static_cast<float>(a | 1u) * 0x1p-32f;  // (0, 1]
  const float radius = std::sqrt(-2.0f * portable::log(u));
  // Angle 2 pi (quarter + f) / 4 with f in [-1/2, 1/2): rotate by quarters, then a small angle.
  const std::uint32_t quarter = b >> 30;
  const float f = uniform_from_bits(b << 2) - 0.5f;
  const float s = portable::sinpi_small(0.5f * f);
  const float c = portable::cospi_small(0.5f * f);
  // By quarter: (c, s), (-s, c), (-c, -s), (s, -c); no choice depends on another one.
  const bool odd = (quarter & 1u) != 0;
  const float cos_size = odd ? s : c, sin_size = odd ? c : s;
  const float cos_q = ((quarter + 1u) & 2u) != 0 ? -cos_size : cos_size;
  const float sin_q = (quarter & 2u) != 0 ? -sin_size : sin_size;
  z0 = radius * cos_q;
  z1 = radius * sin_q;
}

// The four uniforms of block b of a draw.
IMAGO_HOST_DEVICE inline std::array<float, 4> uniform_block(DrawKey key, std::uint64_t b) {
  const PhiloxBlock words = draw_block(key, b);
  return {uniform_from_bits(words.v[0]), uniform_from_bits(words.v[1]),
          uniform_from_bits(words.v[2]), uniform_from_bits(words.v[3])};
}

// The four standard normals of block b of a draw.
IMAGO_HOST_DEVICE inline std::array<float, 4> normal_block(DrawKey key, std::uint64_t b) {
  const PhiloxBlock words = draw_block(key, b);
  std::array<float, 4> z{};
  normals_from_bits(words.v[0], words.v[1], z[0], z[1]);
  normals_from_bits(words.v[2], words.v[3], z[2], z[3]);
  return z;
}

}  // namespace imago
