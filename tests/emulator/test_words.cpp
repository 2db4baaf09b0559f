// Votes of a block, atomics, intrinsics, cooperative launches.
#include <bit>
#include <cmath>

#include "tests/emulator/kernels.h"
#include "tests/emulator/words.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

template <class T>
concept AddsAtomically = requires(T* p, T v) {
  atomicAdd(p, v);
};
static_assert(AddsAtomically<int> && AddsAtomically<unsigned> &&
              AddsAtomically<unsigned long long>);
static_assert(!AddsAtomically<float> && !AddsAtomically<double> && !AddsAtomically<bf16>);

__global__ void adds_at(int* p) {
  atomicAdd(p, 1);
}

__global__ void syncs_grid() {
  grid_sync();
}

__global__ void block_leaves() {
  if (blockIdx.x != 1) grid_sync();
}

__global__ void counts(int named) {
  if (named == 0) {
    __syncthreads_count(1);
  } else if (threadIdx.x < 32) {
    __syncthreads_count(1);
  } else {
    __syncthreads_or(1);
  }
}

}  // namespace

TEST_CASE("a block votes at its barriers") {
  for (const int odd : {0, 1, 40, 64}) {
    std::vector<int> in(64);
    for (int i = 0; i < 64; ++i) in[static_cast<std::size_t>((i * 29) % 64)] = i < odd ? 3 : 4;
    const auto results = in_every_order<int>(
        3 * 64, [&](Stream& stream, int* out) { demo_votes(stream, in.data(), out); });
    CHECK(all_equal(results));
    for (std::size_t i = 0; i < 64; ++i) {
      REQUIRE(results[0][i] == odd);
      REQUIRE(results[0][64 + i] == (odd == 64));
      REQUIRE(results[0][128 + i] == (odd > 0));
    }
  }
  CHECK(message_of([](Stream& s) { launch<counts>(s, 1, 64, 0, 0); }) == "");
  CHECK(contains(message_of([](Stream& s) { launch<counts>(s, 1, 64, 0, 1); }),
                 "divergent barrier: comes to "));
}

TEST_CASE("integer atomics give the same sums in every order") {
  const auto results = in_every_order<unsigned>(
      atomic_counters, [](Stream& stream, unsigned* out) { demo_atomics(stream, out); });
  CHECK(all_equal(results));
  unsigned with_xor = 1000;
  for (unsigned i = 0; i < 256; ++i) with_xor ^= i;
  const std::vector<unsigned> expected = {1000 + 255 * 128, 1000 - 512, 50, 1155, 0xffff0000u,
                                          0xffffffffu, with_xor, 7, 5,
                                          // 199 steps from 1000 to 1199, one to 0, and the rest
                                          256 - 200, 1000 - 256, 256};
  CHECK(results[0] == expected);
}

TEST_CASE("misaligned atomics are faults") {
  alignas(8) char memory[12] = {};
  const auto add_at = [&](int offset) {
    return message_of([&](Stream& s) {
      launch<adds_at>(s, 1, 1, 0, static_cast<int*>(static_cast<void*>(memory + offset)));
    });
  };
  CHECK(add_at(4) == "");
  CHECK(contains(add_at(6), "an atomic operation of 4 bytes is misaligned"));
}

TEST_CASE("the last block to finish finds what all the others left") {
  const int blocks = 7;
  std::vector<int> in(64 * blocks);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = i % 3 == 0 ? 1 : -1;
  std::vector<unsigned> partial(blocks);
  unsigned done = 0;
  const auto results = in_every_order<unsigned>(1, [&](Stream& stream, unsigned* out) {
    demo_last_block(stream, blocks, in.data(), partial.data(), &done, out);
  });
  CHECK(all_equal(results));
  CHECK(results[0][0] == (64 * blocks + 2) / 3);
  CHECK(done == 0);
}

TEST_CASE("intrinsics give the bits that CUDA documents") {
  const float x = 2.7182817f;
  const unsigned a = 0x80f1e2d3u, b = 0x1a2b3c4du;
  const std::uint64_t wide = 0x80f1e2d31a2b3c4dull;
  const auto bits = [](float f) { return std::uint64_t{std::bit_cast<std::uint32_t>(f)}; };
  const std::vector<std::uint64_t> expected = {
      a,  // negative
      a,
      bits(1.0f),
      bits(x),
      bits(x),
      a,
      b,
      std::bit_cast<std::uint64_t>(static_cast<double>(x)),
      wide,
      bits(x + 3.0f),
      bits(x - 3.0f),
      bits(x * 3.0f),
      bits(x / 3.0f),
      bits(std::fma(x, x, 3.0f)),
      bits(std::fma(x, x, -3.0f)),
      bits(std::sqrt(x)),
      15 + 100 * 30,
      0,
      1 + 100 * 1,
      0xcb478f01u,
      // floor of -0x7f0e1d2d * 0x1a2b3c4d / 2^32, and of the unsigned product
      static_cast<std::uint32_t>((std::int64_t{static_cast<std::int32_t>(a)} * b) >> 32),
      (std::uint64_t{a} * b) >> 32,
      0x40f2c75ff49be9fdull,
      0x3ce24dd3u,
      0xffff00f1u,
      4 + 2,
  };
  const auto results = in_every_order<std::uint64_t>(
      math_words, [&](Stream& stream, std::uint64_t* out) { demo_math(stream, x, a, b, out); });
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(results[0][i] == expected[i]);
  }
  CHECK(expected.size() == math_words);
}

TEST_CASE("min and max of a number and NaN are the number") {
  const float nan = std::nanf("");
  CHECK(min(nan, 2.0f) == 2);
  CHECK(max(2.0f, nan) == 2);
  CHECK(min(2.0, std::nan("")) == 2);
  CHECK(__clz(0) == 32);
  CHECK(__ffs(0) == 0);
}

TEST_CASE("the blocks of a cooperative launch wait for each other") {
  const int blocks = 5;
  std::vector<float> in(blocks * 32);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
  const auto results = in_every_order<float>(
      in.size(), [&](Stream& stream, float* out) { demo_grid(stream, blocks, in.data(), out); });
  CHECK(all_equal(results));
  for (std::size_t i = 0; i < in.size(); ++i) {
    REQUIRE(results[0][i] == static_cast<float>(32 * (0 + 1 + 2 + 3 + 4) + 5 * (i % 32)));
  }
}

TEST_CASE("wrong cooperative launches are refused") {
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    CHECK(message_of([](Stream& s) { launch_cooperative<syncs_grid>(s, 64, 2, 0); }) == "");
    CHECK(contains(message_of([](Stream& s) { launch_cooperative<syncs_grid>(s, 65, 2, 0); }),
                   "kernel syncs_grid: a cooperative launch of 65 blocks"));
    CHECK(contains(message_of([](Stream& s) { launch<syncs_grid>(s, 2, 2, 0); }),
                   "needs launch_cooperative"));
    const std::string text =
        message_of([](Stream& s) { launch_cooperative<block_leaves>(s, 3, 4, 0); });
    CHECK(contains(text, "kernel block_leaves, block (0, 0, 0), thread (0, 0, 0): divergent"));
    CHECK(contains(text, "for thread (0, 0, 0) of block (1, 0, 0), which has returned"));
  }
}
