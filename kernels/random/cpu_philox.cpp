// Random tensors on the CPU: as many blocks of Philox side by side as a vector has 64-bit lanes.
//
// Each of the four words of a block has a lane to itself, of which only the lower half counts: that
// half is what the multiplication of 32 by 32 bits reads, whose product fills the lane. A product
// is the next word as it stands, and shifted down a half it is what the other words are mixed with;
// what else is left above a word, by additions to the key too, is never moved down. So a round
// takes two multiplications, two shifts and no shuffles:
//
//   lane       block b                  block b + 1              ...
//   c0         [ ------- | word 0 ]     [ ------- | word 0 ]
//   c1         [ ------- | word 1 ]     [ ------- | word 1 ]
//   stored     words 0 1 2 3 of b, words 0 1 2 3 of b + 1, ...
//
// Words become numbers by the functions of tensor/philox.h in loops for the compiler's vectoriser.
// They are made of operations that IEEE 754 rounds correctly, so bits are those of one block after
// the other. A stretch of words stays in the first-level cache.
//
// A round waits for the one before, so four vectors of blocks take turns.
//
// The bottleneck is arithmetic: two multiplications, two shifts and two to four exclusive ors a
// round, so with vectors of 512 bits some 70 instructions for the 32 words of 8 blocks, as many as
// one block of 4 takes by itself (counted).
#include <bit>

#include "kernels/random/engines.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/random/cpu_philox.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

static_assert(std::endian::native == std::endian::little);  // two words of a block in a lane

// Elements whose words are made at once: whole blocks, and whole vectors of them on every target.
constexpr std::int64_t stretch = 1024;

// The words of `count` blocks from `first` on; as many more as fill four vectors of blocks are
// overwritten.
HWY_ATTR void draw_words(const DrawKey& key, std::uint64_t first, std::int64_t count,
                         std::uint32_t* words) {
#if HWY_TARGET == HWY_SCALAR
  for (std::int64_t b = 0; b < count; ++b) {
    const PhiloxBlock block = draw_block(key, first + static_cast<std::uint64_t>(b));
    for (int j = 0; j < 4; ++j) words[4 * b + j] = block.v[j];
  }
#else
  const hn::ScalableTag<std::uint64_t> d;
  const hn::Repartition<std::uint32_t, decltype(d)> halves;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto m0 = hn::Set(halves, std::uint32_t{0xD2511F53u});
  const auto m1 = hn::Set(halves, std::uint32_t{0xCD9E8D57u});
  const auto k0_step = hn::Set(d, std::uint64_t{0x9E3779B9u});
  const auto k1_step = hn::Set(d, std::uint64_t{0xBB67AE85u});
  const auto lower = hn::Set(d, std::uint64_t{0xffffffffu});
  const auto counter = hn::Iota(d, std::uint64_t{0});
  using V = hn::Vec<decltype(d)>;
  constexpr int streams = 4;  // one took 1.6 times as long with vectors of 512 bits
  for (std::int64_t b = 0; b < count; b += streams * lanes) {
    V c0[streams], c1[streams], c2[streams], c3[streams];
#pragma GCC unroll 4
    for (int i = 0; i < streams; ++i) {
      c0[i] = hn::Add(hn::Set(d, first + static_cast<std::uint64_t>(b + i * lanes)), counter);
      c1[i] = hn::ShiftRight<32>(c0[i]);
      c2[i] = hn::Set(d, static_cast<std::uint64_t>(key.draw));
      c3[i] = hn::Set(d, static_cast<std::uint64_t>(key.step));
    }
    auto k0 = hn::Set(d, key.seed), k1 = hn::ShiftRight<32>(k0);
    for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 4
      for (int i = 0; i < streams; ++i) {
        const auto p0 = hn::MulEven(hn::BitCast(halves, c0[i]), m0);
        const auto p1 = hn::MulEven(hn::BitCast(halves, c2[i]), m1);
        c0[i] = hn::Xor3(hn::ShiftRight<32>(p1), c1[i], k0);
        c2[i] = hn::Xor3(hn::ShiftRight<32>(p0), c3[i], k1);
        c1[i] = p1;
        c3[i] = p0;
      }
      k0 = hn::Add(k0, k0_step);
      k1 = hn::Add(k1, k1_step);
    }
#pragma GCC unroll 4
    for (int i = 0; i < streams; ++i) {
      const auto c01 = hn::Or(hn::And(c0[i], lower), hn::ShiftLeft<32>(c1[i]));
      const auto c23 = hn::Or(hn::And(c2[i], lower), hn::ShiftLeft<32>(c3[i]));
      hn::StoreInterleaved2(c01, c23, d,
                            reinterpret_cast<std::uint64_t*>(words + 4 * (b + i * lanes)));
    }
  }
#endif
}

template <class T>
HWY_ATTR void write_normals(const std::uint32_t* words, std::int64_t n, T* out) {
  alignas(64) float z[stretch];
  const std::int64_t pairs = (n + 1) / 2;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < pairs; ++i) {
    normals_from_bits(words[2 * i], words[2 * i + 1], z[2 * i], z[2 * i + 1]);
  }
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(z[i]);
}

template <class T>
HWY_ATTR void write_uniforms(const std::uint32_t* words, std::int64_t n, T* out) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(uniform_from_bits(words[i]));
}

template <class T>
HWY_ATTR void write_kept(const std::uint32_t* words, std::int64_t n, const T* x, double p, T* out) {
  using A = acc_t<T>;
  const A factor = static_cast<A>(1.0 / (1.0 - p));
  const float threshold = static_cast<float>(p);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    const A kept = static_cast<A>(x[i]) * factor;
    out[i] = static_cast<T>(uniform_from_bits(words[i]) >= threshold ? kept : A(0));
  }
}

template <class T>
HWY_ATTR void run_call(const RandomCall& c) {
  alignas(64) std::uint32_t words[stretch];
  for (std::int64_t begin = 0; begin < c.count; begin += stretch) {
    const std::int64_t left = c.count - begin, n = left < stretch ? left : stretch;
    T* out = static_cast<T*>(c.out) + begin;
    if (c.op == RandomOp::dropout) {
      // Drawing takes so long that the processor's own prefetching stops at the end of each
      // stretch.
      const char* x = reinterpret_cast<const char*>(static_cast<const T*>(c.x) + begin);
      for (std::int64_t i = 0; i < n * std::int64_t{sizeof(T)}; i += 64) __builtin_prefetch(x + i);
    }
    draw_words(c.key, c.block + static_cast<std::uint64_t>(begin / 4), (n + 3) / 4, words);
    if (c.op == RandomOp::normal) {
      write_normals(words, n, out);
    } else if (c.op == RandomOp::uniform) {
      write_uniforms(words, n, out);
    } else {
      write_kept(words, n, static_cast<const T*>(c.x) + begin, c.p, out);
    }
  }
}

// f64 too: the arithmetic is that of f32 in all of them.
HWY_ATTR void run_any(const RandomCall& c) {
  if (c.dtype == DType::f32) {
    run_call<float>(c);
  } else if (c.dtype == DType::f64) {
    run_call<double>(c);
  } else {
    run_call<bf16>(c);
  }
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(run_any);

void run_random(const RandomCall& c) {
  HWY_DYNAMIC_DISPATCH(run_any)(c);
}

}  // namespace imago::kernels
#endif
