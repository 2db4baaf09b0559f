// The functions between the lanes of a warp: what they compute, and wrong masks that the emulator
// must find.
#include "tests/emulator/kernels.h"
#include "tests/emulator/words.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

constexpr unsigned everybody = 0xffffffffu;

std::vector<int> values() {
  std::vector<int> v(warp_threads);
  for (int i = 0; i < warp_threads; ++i) v[static_cast<std::size_t>(i)] = (37 * i + 11) % 64;
  return v;
}

// What the word gives to lane `lane` of a warp with values v[0..31].
int expected(int word, int lane, const int* v) {
  const auto bits = [v](auto&& predicate) {
    unsigned mask = 0;
    for (int l = 0; l < 32; ++l) mask |= predicate(v[l]) ? 1u << l : 0u;
    return static_cast<int>(mask);
  };
  const auto folded = [v](auto&& f) {
    int total = v[0];
    for (int l = 1; l < 32; ++l) total = f(total, v[l]);
    return total;
  };
  switch (word) {
    case shfl:
      return v[5];
    case shfl_segment:
      return v[lane / 8 * 8 + (lane + 1) % 8];
    case shfl_up:
      return v[lane < 3 ? lane : lane - 3];
    case shfl_up_segment:
      return v[lane % 16 < 3 ? lane : lane - 3];
    case shfl_down:
      return v[lane + 4 > 31 ? lane : lane + 4];
    case shfl_down_segment:
      return v[lane % 4 >= 2 ? lane : lane + 2];
    case shfl_xor:
      return v[lane ^ 5];
    case shfl_xor_segment:  // 12 leads out of the segment of 8: only backwards is allowed
      return v[(lane & 8) != 0 ? lane ^ 12 : lane];
    case shfl_half:
      return v[lane < 16 ? 15 : 16];
    case shfl_float:
    case shfl_double:
      return v[9] / 2;
    case shfl_long:
      return v[9];
    case ballot:
      return bits([](int x) { return x % 2 != 0; });
    case any:
      return bits([](int x) { return x == 7; }) != 0;
    case all:
      return 1;
    case match_any:
      return bits([&](int x) { return x % 3 == v[lane] % 3; });
    case reduce_add:
      return folded([](int a, int b) { return a + b; });
    case reduce_min:
      return folded([](int a, int b) { return std::min(a, b); });
    case reduce_max:
      return folded([](int a, int b) { return std::max(a, b); });
    case reduce_and:
      return folded([](int a, int b) { return a & b; });
    case reduce_or:
      return folded([](int a, int b) { return a | b; });
    case reduce_xor:
      return folded([](int a, int b) { return a ^ b; });
    case active_mask:
      return 1;
  }
  return -1;
}

__global__ void sums_lanes(unsigned mask, int width, float* out) {
  float sum = static_cast<float>(threadIdx.x);
  if ((mask >> threadIdx.x % 32 & 1u) == 0) return;
  for (int half = width / 2; half > 0; half /= 2) sum += __shfl_down_sync(mask, sum, half, width);
  if (threadIdx.x == 0) *out = sum;
}

__global__ void calls_unnamed(unsigned mask) {
  __shfl_sync(mask, 1, 0);
}

__global__ void lane_returns() {
  if (threadIdx.x == 3) return;
  __ballot_sync(everybody, 1);
}

__global__ void lane_elsewhere() {
  if (threadIdx.x != 40) __any_sync(everybody, 1);
  __syncthreads();
}

__global__ void masks_differ() {
  const unsigned mask = threadIdx.x < 16 ? 0x0001ffffu : 0xffff8000u;
  __reduce_add_sync(mask, 1);
}

__global__ void words_differ() {
  if (threadIdx.x % 2 == 0) {
    __any_sync(everybody, 1);
  } else {
    __all_sync(everybody, 1);
  }
}

__global__ void wide(int width) {
  __shfl_xor_sync(everybody, 1, 1, width);
}

// Warps take turns at their own pace; lanes of one warp meet in two groups and then all together.
__global__ void groups(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  int sum = 0;
  for (int round = 0; round <= warp; ++round) {
    if (lane < 8) {
      for (int i = 0; i <= lane % 2; ++i) sum += __popc(__ballot_sync(1u << lane, 1));
      sum += __reduce_add_sync(0xffu, 1);
    } else {
      sum += __reduce_add_sync(~0xffu, 1);
    }
    sum += __shfl_sync(everybody, sum, 31 - round);
  }
  out[threadIdx.x] = sum;
}

}  // namespace

TEST_CASE("every function between lanes gives what CUDA documents, in every order") {
  const auto in = values();
  const auto results =
      in_every_order<int>(warp_words * warp_threads,
                          [&](Stream& stream, int* out) { demo_warp(stream, in.data(), out); });
  CHECK(all_equal(results));
  for (int word = 0; word < warp_words; ++word) {
    for (int i = 0; i < warp_threads; ++i) {
      CAPTURE(word);
      CAPTURE(i);
      CHECK(results[0][static_cast<std::size_t>(word * warp_threads + i)] ==
            expected(word, i % 32, in.data() + i / 32 * 32));
    }
  }
}

TEST_CASE("groups of lanes meet on their own") {
  const auto results = in_every_order<int>(
      128, [](Stream& stream, int* out) { launch<groups>(stream, 1, 128, 0, out); });
  CHECK(all_equal(results));
  // Warp 0: lane 31 has 24 before the last shuffle; lane 0 has 1 + 8, lane 1 has 2 + 8.
  CHECK(results[0][0] == 9 + 24);
  CHECK(results[0][1] == 10 + 24);
  CHECK(results[0][31] == 24 + 24);
}

TEST_CASE("a shuffle with the wrong mask is a fault; with the right one it is a sum") {
  const std::string at = "[emulator] kernel sums_lanes, block (0, 0, 0), thread (";
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    float sum = 0;
    const auto run = [&](unsigned threads, unsigned mask, int width) {
      return message_of(
          [&](Stream& s) { launch<sums_lanes>(s, 1, threads, 0, mask, width, &sum); });
    };
    CHECK(run(32, everybody, 32) == "");
    CHECK(sum == 31 * 16);
    CHECK(run(16, 0xffffu, 16) == "");
    CHECK(sum == 15 * 8);
    // The lanes above 15 are read, but not named.
    std::string text = run(32, 0xffffu, 32);
    CHECK(contains(text, at + "0, 0, 0): __shfl_down_sync at "));
    CHECK(contains(text, "test_warp.cpp:"));
    CHECK(contains(text, " reads lane 16, which is not named by the mask 0x0000ffff"));
    // The block has no lanes above 15.
    text = run(16, everybody, 32);
    CHECK(contains(text, at + "0, 0, 0): __shfl_down_sync at "));
    CHECK(contains(text, " with mask 0xffffffff waits for lane 16, which the block does not have"));
  }
}

TEST_CASE("lanes that do not come to their warp are named") {
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    CHECK(message_of([](Stream& s) { launch<calls_unnamed>(s, 1, 1, 0, 0x1u); }) == "");
    std::string text =
        message_of([](Stream& s) { launch<calls_unnamed>(s, 1, 32, 0, 0x7fffffffu); });
    CHECK(contains(text, "thread (31, 0, 0): __shfl_sync at "));
    CHECK(contains(text, "the mask 0x7fffffff does not name its own lane 31"));

    text = message_of([](Stream& s) { launch<lane_returns>(s, 1, 32, 0); });
    CHECK(contains(text, "kernel lane_returns, block (0, 0, 0), thread (0, 0, 0): __ballot_sync"));
    CHECK(contains(text, "with mask 0xffffffff waits for lane 3, which has returned"));

    text = message_of([](Stream& s) { launch<lane_elsewhere>(s, 1, 64, 0); });
    CHECK(contains(text, "thread (32, 0, 0): __any_sync at "));
    CHECK(contains(text, "waits for lane 8, which waits at "));
    CHECK(contains(text, "(__syncthreads)"));
    CHECK(message_of([](Stream& s) { launch<lane_elsewhere>(s, 1, 32, 0); }) == "");

    text = message_of([](Stream& s) { launch<masks_differ>(s, 1, 32, 0); });
    CHECK(contains(text, "thread (0, 0, 0): __reduce_add_sync at "));
    CHECK(contains(text, "with mask 0x0001ffff waits for lane 16, which waits at "));
    CHECK(contains(text, "(__reduce_add_sync with mask 0xffff8000)"));

    text = message_of([](Stream& s) { launch<words_differ>(s, 1, 32, 0); });
    CHECK(contains(text, "__any_sync at "));
    CHECK(contains(text, "waits for lane 1, which waits at "));
    CHECK(contains(text, "(__all_sync with mask 0xffffffff)"));
  }
}

TEST_CASE("a width must be a power of two") {
  const auto message = [](int width) {
    return message_of([&](Stream& s) { launch<wide>(s, 1, 32, 0, width); });
  };
  CHECK(message(16) == "");
  CHECK(contains(message(12), "the width 12 is not a power of two from 1 to 32"));
  CHECK(contains(message(64), "the width 64 is not"));
  CHECK(contains(message(0), "the width 0 is not"));
}
