// How fast the emulator is: what a CUDA thread costs, a wait at a barrier, a shuffle, and emulated
// arithmetic. Says nothing about a GPU.
//   bench_emulator [--benchmark_filter=...]
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/ptx.cuh"

namespace imago::bench {
namespace {

using namespace kernels;

constexpr int block = 256, rounds = 100, side = 16;

struct Square {
  Tile<float, side, side> a, b;
};

__global__ void one_fma(const float* in, float* out) {
  const auto i = global_thread();
  out[i] = fma(in[i], in[i], 1.0f);
}

__global__ void barriers() {
  for (int round = 0; round < rounds; ++round) __syncthreads();
}

__global__ void shuffles(int* out) {
  int value = static_cast<int>(threadIdx.x);
  for (int round = 0; round < rounds; ++round) value = __shfl_xor_sync(0xffffffffu, value, 1);
  out[threadIdx.x] = value;
}

// (16, 16) (16, 16) from shared memory, `rounds` times.
__global__ void tiles(float* out) {
  auto& s = shared<Square>();
  const unsigned x = threadIdx.x % side, y = threadIdx.x / side;
  s.a(y, x) = s.b(y, x) = 1;
  __syncthreads();
  float sum = 0;
  for (int round = 0; round < rounds; ++round) {
    for (int k = 0; k < side; ++k) sum = fma(s.a(y, k), s.b(k, x), sum);
  }
  out[threadIdx.x] = sum;
}

__global__ void matrices(float* out) {
  float d[4] = {};
  const unsigned a[4] = {}, b[2] = {};
  for (int round = 0; round < rounds; ++round) mma_m16n8k8_tf32(d, a, b);
  out[threadIdx.x] = d[0];
}

// `items` of work in each launch.
template <auto kernel, class... Args>
void run(benchmark::State& state, std::int64_t items, unsigned grid, int threads, std::size_t bytes,
         Args... args) {
  Stream stream;
  for (auto _ : state) {
    launch<kernel>(stream, grid, static_cast<unsigned>(threads), bytes, args...);
    stream.synchronize();
  }
  state.counters["items"] = benchmark::Counter(static_cast<double>(state.iterations() * items),
                                               benchmark::Counter::kIsRate);
  state.counters["each"] =
      benchmark::Counter(static_cast<double>(state.iterations() * items),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void threads_that_never_wait(benchmark::State& state) {
  const unsigned grid = 1000;
  std::vector<float> in(grid * block), out(grid * block);
  run<one_fma>(state, grid * block, grid, block, 0, in.data(), out.data());
}
BENCHMARK(threads_that_never_wait);

void waits_at_a_barrier(benchmark::State& state) {
  run<barriers>(state, std::int64_t{block} * rounds, 1, block, 0);
}
BENCHMARK(waits_at_a_barrier);

void shuffles_of_a_lane(benchmark::State& state) {
  std::vector<int> out(block);
  run<shuffles>(state, std::int64_t{block} * rounds, 1, block, 0, out.data());
}
BENCHMARK(shuffles_of_a_lane);

void fmas_on_shared_tiles(benchmark::State& state) {
  std::vector<float> out(block);
  run<tiles>(state, std::int64_t{block} * rounds * side, 1, block, sizeof(Square), out.data());
}
BENCHMARK(fmas_on_shared_tiles);

void fmas_of_matrix_instructions(benchmark::State& state) {
  std::vector<float> out(block);
  run<matrices>(state, std::int64_t{block} / 32 * rounds * 16 * 8 * 8, 1, block, 0, out.data());
}
BENCHMARK(fmas_of_matrix_instructions);

}  // namespace
}  // namespace imago::bench

BENCHMARK_MAIN();
