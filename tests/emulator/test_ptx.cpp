// Asynchronous copies, named barriers and matrix instructions: right kernels, and planted bugs that
// the emulator must find.
#include <bit>
#include <cmath>

#include "kernels/ptx.cuh"
#include "tests/emulator/kernels.h"
#include "tests/emulator/ptx.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

std::vector<float> small_integers(int count) {
  std::vector<float> v(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    v[static_cast<std::size_t>(i)] = static_cast<float>(i * 7 % 11 - 5);
  return v;
}

// d (16, 8) = a (16, K) b (K, 8) + c (16, 8)
std::vector<float> product(int K, const std::vector<float>& a, const std::vector<float>& b,
                           std::vector<float> d) {
  for (int m = 0; m < 16; ++m) {
    for (int n = 0; n < 8; ++n) {
      float& sum = d[static_cast<std::size_t>(8 * m + n)];
      for (int k = 0; k < K; ++k) {
        sum += a[static_cast<std::size_t>(K * m + k)] * b[static_cast<std::size_t>(8 * k + n)];
      }
    }
  }
  return d;
}

std::vector<bf16> as_bf16(const std::vector<float>& values) {
  std::vector<bf16> out;
  for (const float v : values) out.push_back(bf16(v));
  return out;
}

struct Small {
  Tile<float, 8> a;
};

__global__ void copies_to(float* to, const float* from, int offset, int source_bytes) {
  auto& s = shared<Small>();
  auto* pack = to ? static_cast<float4*>(static_cast<void*>(to))
                  : static_cast<float4*>(static_cast<void*>(&s.a(offset)));
  cp_async(pack, from, source_bytes);
  cp_async_wait_all();
}

__global__ void never_waits(const float* from, float* out) {
  auto& s = shared<Small>();
  cp_async(s.a.pointer_to<float>(threadIdx.x), from + threadIdx.x);
  cp_async_commit();
  __syncthreads();
  out[threadIdx.x] = s.a(threadIdx.x);
}

// The copy into the element that the neighbour still reads.
__global__ void overtakes(bool barrier, const float* from, float* out) {
  auto& s = shared<Small>();
  const unsigned i = threadIdx.x;
  s.a(i) = 1;
  __syncthreads();
  out[i] = s.a((i + 1) % 8);
  if (barrier) __syncthreads();
  cp_async(s.a.pointer_to<float>(i), from + i);
  cp_async_wait_all();
}

__global__ void named(int id, int count) {
  named_barrier_sync(id, count);
}

__global__ void half_a_warp() {
  if (threadIdx.x % 32 < 16) named_barrier_sync(1, 32);
}

__global__ void counts_differ() {
  named_barrier_sync(2, threadIdx.x < 32 ? 64 : 96);
}

__global__ void too_few() {
  if (threadIdx.x < 32) named_barrier_sync(3, 64);
}

__global__ void unrounded(float x) {
  float d[4] = {};
  unsigned a[4] = {}, b[2] = {};
  if (threadIdx.x == 9) a[2] = __float_as_uint(x);
  mma_m16n8k8_tf32(d, a, b);
}

__global__ void reads_row(int offset) {
  auto& s = shared<Small>();
  unsigned fragment[1];
  ldmatrix(fragment, &s.a(offset));
}

__global__ void part_of_a_warp() {
  float d[4] = {};
  const unsigned a[4] = {}, b[2] = {};
  if (threadIdx.x != 30) mma_m16n8k16_bf16(d, a, b);
}

}  // namespace

TEST_CASE("asynchronous copies arrive at the wait") {
  const auto in = small_integers(5 * 32);
  const auto run = [&](Waits waits) {
    return in_every_order<float>(
        4 * 32, [&](Stream& stream, float* out) { demo_copies(stream, in.data(), out, waits); });
  };
  const auto right = run(Waits::kept);
  CHECK(all_equal(right));
  for (std::size_t i = 0; i < 4 * 32; ++i) REQUIRE(right[0][i] == in[i] + in[i + 32]);
#if !defined(__SANITIZE_THREAD__)  // it would report the races itself: see tests/races
  for (const auto& wrong : {run(Waits::left_out), run(Waits::one_too_few)}) {
    for (const auto& result : wrong) {
      bool nan = false;
      for (const float value : result) nan = nan || std::isnan(value);
      CHECK(nan);
    }
  }
#endif
}

TEST_CASE("a copy that nobody waits for does not arrive, barrier or not") {
  const auto in = small_integers(8);
  const auto results = in_every_order<float>(8, [&](Stream& stream, float* out) {
    launch<never_waits>(stream, 1, 8, sizeof(Small), in.data(), out);
  });
  for (const auto& result : results) {
    for (const float value : result) CHECK(std::isnan(value));
  }
}

TEST_CASE("a copy into memory that others still read shows") {
  const auto in = small_integers(8);
  const auto run = [&](bool barrier) {
    return in_every_order<float>(8, [&](Stream& stream, float* out) {
      launch<overtakes>(stream, 1, 8, sizeof(Small), barrier, in.data(), out);
    });
  };
  const auto right = run(true);
  CHECK(all_equal(right));
  CHECK(right[0] == std::vector<float>(8, 1.0f));
#if !defined(__SANITIZE_THREAD__)  // it would report the race itself: see tests/races
  CHECK_FALSE(all_equal(run(false)));
#endif
}

TEST_CASE("a short copy is filled up with zeros") {
  const std::vector<float> in = {1, 2, 3, 4};
  for (int count = 0; count <= 4; ++count) {
    alignas(16) float out[4] = {9, 9, 9, 9};
    const std::vector<float> exact(in.begin(), in.begin() + count);
    alignas(16) float source[4] = {};
    std::copy(exact.begin(), exact.end(), source);
    CHECK(message_of([&](Stream& s) {
            demo_zero_fill(s, count == 0 ? nullptr : source, count, out);
          }) == "");
    for (int i = 0; i < 4; ++i) CHECK(out[i] == (i < count ? in[static_cast<std::size_t>(i)] : 0));
  }
}

TEST_CASE("wrong addresses and sizes of asynchronous copies are faults") {
  alignas(16) float memory[8] = {};
  const auto copy = [&](float* to, int from, int offset, int bytes) {
    return message_of([&](Stream& s) {
      launch<copies_to>(s, 1, 1, sizeof(Small), to, memory + from, offset, bytes);
    });
  };
  CHECK(copy(nullptr, 4, 4, 16) == "");
  CHECK(contains(copy(nullptr, 1, 4, 16), "misaligned: the addresses are 0 and 4 modulo 16"));
  CHECK(contains(copy(nullptr, 0, 2, 16), "misaligned: the addresses are 8 and 0 modulo 16"));
  CHECK(contains(copy(nullptr, 0, 0, 17), "cp_async of 16 bytes reads 17 bytes"));
  CHECK(contains(copy(memory, 4, 0, 16), "do not lie in the shared memory of the block"));
}

TEST_CASE("warps hand buffers to each other through named barriers") {
  const int rounds = 7;
  const auto in = small_integers(rounds * 32);
  const auto results = in_every_order<float>(in.size(), [&](Stream& stream, float* out) {
    demo_handover(stream, rounds, in.data(), out);
  });
  CHECK(all_equal(results));
  for (std::size_t i = 0; i < in.size(); ++i) REQUIRE(results[0][i] == 2 * in[i]);
}

TEST_CASE("wrong named barriers are faults") {
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    const auto message = [](unsigned threads, int id, int count) {
      return message_of([&](Stream& s) { launch<named>(s, 1, threads, 0, id, count); });
    };
    CHECK(message(64, 15, 64) == "");
    CHECK(message(40, 1, 64) == "");
    CHECK(message(64, 1, 32) == "");
    CHECK(contains(message(64, 16, 64), "there is no barrier 16 among 1 to 15"));
    CHECK(contains(message(64, 1, 40), "counts 40 threads; named barriers count whole warps"));
    CHECK(contains(message_of([](Stream& s) { launch<half_a_warp>(s, 1, 64, 0); }),
                   "waits for lane 16, which has returned"));
    CHECK(contains(message_of([](Stream& s) { launch<counts_differ>(s, 1, 96, 0); }),
                   " came to the same barrier with "));
    CHECK(contains(message_of([](Stream& s) { launch<too_few>(s, 1, 64, 0); }),
                   "waits for 64 threads but only 32 came"));
  }
}

TEST_CASE("tf32 rounds to nearest, ties away from zero") {
  const auto rounded = [](unsigned bits) { return to_tf32(std::bit_cast<float>(bits)); };
  CHECK(rounded(0x3f800fffu) == 0x3f800000u);
  CHECK(rounded(0x3f801000u) == 0x3f802000u);
  CHECK(rounded(0xbf801000u) == 0xbf802000u);
  CHECK(rounded(0x3f803000u) == 0x3f804000u);
  CHECK(rounded(0x7f7fffffu) == 0x7f800000u);  // over the largest
  CHECK(rounded(0xff800000u) == 0xff800000u);
  CHECK(std::isnan(std::bit_cast<float>(rounded(0x7f800001u))));
  CHECK(rounded(0x80000000u) == 0x80000000u);
}

TEST_CASE("a warp multiplies matrices: exact on small integers, in every order") {
  const auto c = small_integers(16 * 8);
  {
    const auto a = small_integers(16 * 8), b = small_integers(8 * 8);
    const auto results = in_every_order<float>(16 * 8, [&](Stream& stream, float* d) {
      demo_mma_tf32(stream, a.data(), b.data(), c.data(), d);
    });
    CHECK(all_equal(results));
    CHECK(results[0] == product(8, a, b, c));
  }
  {
    const auto a = small_integers(16 * 16), b = small_integers(16 * 8);
    const auto a_half = as_bf16(a), b_half = as_bf16(b);
    const auto results = in_every_order<float>(16 * 8, [&](Stream& stream, float* d) {
      demo_mma_bf16(stream, a_half.data(), b_half.data(), c.data(), d);
    });
    CHECK(all_equal(results));
    CHECK(results[0] == product(16, a, b, c));
  }
}

TEST_CASE("wrong uses of matrix instructions are faults") {
  const auto unrounded_message = [](float x) {
    return message_of([&](Stream& s) { launch<unrounded>(s, 1, 32, 0, x); });
  };
  CHECK(unrounded_message(1.5f) == "");
  CHECK(contains(unrounded_message(0.1f), "thread (9, 0, 0): mma_m16n8k8_tf32 at "));
  CHECK(contains(unrounded_message(0.1f), "an operand was not rounded by to_tf32 (0.1)"));
  const auto row_message = [](int offset) {
    return message_of([&](Stream& s) { launch<reads_row>(s, 1, 32, sizeof(Small), offset); });
  };
  CHECK(row_message(4) == "");
  CHECK(contains(row_message(2), "is misaligned: the address is 8 modulo 16"));
  CHECK(contains(message_of([](Stream& s) { launch<part_of_a_warp>(s, 1, 32, 0); }),
                 "mma_m16n8k16_bf16 at "));
  CHECK(contains(message_of([](Stream& s) { launch<part_of_a_warp>(s, 1, 32, 0); }),
                 "waits for lane 30, which has returned"));
}
