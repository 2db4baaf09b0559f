// Barriers, shared memory and orders of execution: kernels that are right, and planted bugs that
// the emulator must find.
#include <cmath>

#include "tests/emulator/demo.h"
#include "tests/emulator/kernels.h"

using namespace imago;
using namespace imago::kernels;
using namespace imago::test;

namespace {

std::vector<float> counted(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(i);
  return values;
}

// Threads that return where others go on to wait.
__global__ void returns_early(int first) {
  if (static_cast<int>(threadIdx.x) >= first) return;
  __syncthreads();
}

// One thread does not come to the second round.
__global__ void leaves_loop_early() {
  const int rounds = threadIdx.x == 5 ? 1 : 2;
  for (int i = 0; i < rounds; ++i) __syncthreads();
}

__global__ void two_barriers() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void writes_index(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned i = block * blockDim.x * blockDim.y * blockDim.z + thread;
  out[i] = i;
}

__global__ void note_order(unsigned* list, unsigned* length) {
  list[atomicAdd(length, 1u)] = threadIdx.x;
}

struct Sums {
  Tile<float, 64> partial;
};

// The sum over a block of two warps, by way of shared memory that is used again by the next sum.
__device__ float sum_of_block(float v, Barriers barriers) {
  for (int away = 16; away >= 1; away /= 2) v += __shfl_xor_sync(0xffffffffu, v, away);
  auto& s = shared<Sums>();
  if (barriers == Barriers::kept) __syncthreads();  // whoever still reads an earlier sum
  if (threadIdx.x % 32 == 0) s.partial(threadIdx.x / 32) = v;
  __syncthreads();
  return s.partial(0) + s.partial(1);
}

[[maybe_unused]] __global__ void sums_twice(Barriers barriers, float* out) {
  const float threads = sum_of_block(1, barriers);
  out[threadIdx.x] = threads + sum_of_block(100, barriers);
}

__global__ void reads_garbage(float* out) {
  out[threadIdx.x] = shared<Sums>().partial(threadIdx.x);
}

__global__ void leaves_values(float* out) {
  shared<Sums>().partial(threadIdx.x) = 1;
  out[global_thread()] = 1;
}

}  // namespace

TEST_CASE("a transpose through shared memory gives the same bits in every order") {
  const int size = 24;
  const auto in = counted(size * size);
  const auto results = in_every_order<float>(in.size(), [&](Stream& stream, float* out) {
    demo_transpose(stream, size, in.data(), out, Barriers::kept);
  });
  CHECK(all_equal(results));
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      const auto at = static_cast<std::size_t>(j * size + i);
      REQUIRE(results[0][at] == in[static_cast<std::size_t>(i * size + j)]);
    }
  }
}

#if !defined(__SANITIZE_THREAD__)  // it would report these races itself: see tests/races
TEST_CASE("a missing barrier shows: NaN and other bits in another order") {
  const auto in = counted(64);
  const auto results = in_every_order<float>(in.size(), [&](Stream& stream, float* out) {
    demo_transpose(stream, 8, in.data(), out, Barriers::left_out);
  });
  CHECK_FALSE(all_equal(results));
  for (const auto& result : results) {
    bool nan = false;
    for (const float value : result) nan = nan || std::isnan(value);
    CHECK(nan);
  }
}

TEST_CASE("a missing barrier inside a loop shows") {
  const auto in = counted(128);
  const auto run = [&](Barriers barriers) {
    return in_every_order<float>(
        2, [&](Stream& stream, float* out) { demo_sum(stream, 2, in.data(), out, barriers); });
  };
  const auto right = run(Barriers::kept);
  CHECK(all_equal(right));
  CHECK(right[0] == std::vector<float>{2016, 2016 + 64 * 64});
  CHECK_FALSE(all_equal(run(Barriers::left_out)));
}

TEST_CASE("a barrier missing before shared memory is used again shows when a warp runs ahead") {
  const auto run = [&](Barriers barriers) {
    return in_every_order<float>(64, [&](Stream& stream, float* out) {
      launch<sums_twice>(stream, 1, 64, sizeof(Sums), barriers, out);
    });
  };
  const auto right = run(Barriers::kept);
  CHECK(all_equal(right));
  CHECK(right[0] == std::vector<float>(64, 64 + 6400));
  CHECK_FALSE(all_equal(run(Barriers::left_out)));
}
#endif

TEST_CASE("a barrier that not all threads reach names kernel, block, thread and line") {
  for (const auto& [order, seed] : orders) {
    const emulator::ScheduleScope scope(order, seed);
    std::string text = message_of([](Stream& s) { launch<returns_early>(s, 1, 64, 0, 63); });
    CHECK(contains(text, "kernel returns_early, block (0, 0, 0), thread ("));
    CHECK(contains(text, "divergent barrier: waits at "));
    CHECK(contains(text, "test_barriers.cpp:"));
    CHECK(contains(text, "for thread (63, 0, 0), which has returned"));

    text = message_of([](Stream& s) { launch<leaves_loop_early>(s, 1, 16, 0); });
    CHECK(contains(text, "for thread (5, 0, 0), which has returned"));

    text = message_of([](Stream& s) { launch<two_barriers>(s, 1, 64, 0); });
    CHECK(contains(text, "kernel two_barriers"));
    CHECK(contains(text, " waits at "));

    CHECK(message_of([](Stream& s) { launch<returns_early>(s, 3, 64, 0, 64); }) == "");
    CHECK(message_of([](Stream& s) { launch<returns_early>(s, 3, 64, 0, 0); }) == "");
  }
}

TEST_CASE("a failed launch leaves nothing behind") {
  const auto in = counted(64);
  for (int round = 0; round < 3; ++round) {
    CHECK(message_of([](Stream& s) { launch<returns_early>(s, 2, 1024, 0, 1000); }) != "");
    float sum = 0;
    CHECK(message_of([&](Stream& s) { demo_sum(s, 1, in.data(), &sum, Barriers::kept); }) == "");
    CHECK(sum == 2016);
  }
}

TEST_CASE("every thread of a three-dimensional grid runs once, with its own indices") {
  const std::size_t count = 3 * 2 * 4 * 5 * 3 * 2;
  const auto results = in_every_order<unsigned>(count, [](Stream& stream, unsigned* out) {
    launch<writes_index>(stream, dim3(3, 2, 4), dim3(5, 3, 2), 0, out);
  });
  CHECK(all_equal(results));
  for (std::size_t i = 0; i < count; ++i) REQUIRE(results[0][i] == i);
}

TEST_CASE("orders differ, and a shuffle repeats by its seed") {
  const auto order_of = [](emulator::Order order, std::uint64_t seed) {
    const emulator::ScheduleScope scope(order, seed);
    std::vector<unsigned> list(8);
    unsigned length = 0;
    Stream stream;
    launch<note_order>(stream, 1, 8, 0, list.data(), &length);
    stream.synchronize();
    CHECK(length == 8);
    return list;
  };
  using emulator::Order;
  CHECK(order_of(Order::forward, 0) == std::vector<unsigned>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(order_of(Order::reverse, 0) == std::vector<unsigned>{7, 6, 5, 4, 3, 2, 1, 0});
  const auto once = order_of(Order::shuffled, 1);
  CHECK(once == order_of(Order::shuffled, 1));
  CHECK(once != order_of(Order::shuffled, 2));
  CHECK(once != order_of(Order::forward, 0));
}

TEST_CASE("shared memory of a new block holds NaN, not what the block before left") {
  std::vector<float> values(4 * 64), garbage(64);
  Stream stream;
  launch<leaves_values>(stream, 4, 64, sizeof(Sums), values.data());
  launch<reads_garbage>(stream, 1, 64, sizeof(Sums), garbage.data());
  stream.synchronize();
  for (const float value : garbage) CHECK(std::isnan(value));
}
