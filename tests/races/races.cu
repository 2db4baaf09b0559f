// Races, many of which give the right result in the order in which the emulator happens to run the
// threads, so that only ThreadSanitizer finds them. Each kernel comes right and wrong:
//   emulator_races NAME right|wrong
// This program is built with -fsanitize=thread whatever the rest of the build is made with;
// tests/emulator/test_races.cpp runs it and reads the reports.
#include <cstdio>
#include <string>
#include <vector>

#include "kernels/ptx.cuh"

namespace imago::test {
namespace {

using namespace kernels;

struct Block {
  Tile<float, 64> values;
};

// Warp 1 reads what warp 0 wrote. A barrier of one warp does not order two.
template <bool right>
__global__ void two_warps(float* out) {
  auto& s = shared<Block>();
  const unsigned i = threadIdx.x;
  if (i < 32) s.values(i) = 1;
  if (right) {
    __syncthreads();
  } else {
    __syncwarp();
  }
  if (i >= 32) out[i - 32] = s.values(i - 32);
}

// Lanes of one warp. A shuffle does not order memory accesses, __syncwarp does.
template <bool right>
__global__ void one_warp(float* out) {
  auto& s = shared<Block>();
  const unsigned i = threadIdx.x;
  s.values(i) = 1;
  if (right) {
    __syncwarp();
  } else {
    __shfl_sync(0xffffffffu, i, 0);
  }
  out[i] = s.values(i ^ 1u);
}

// The slow warp still reads while the fast one goes into the next round.
template <bool right>
__global__ void next_round(float* out) {
  auto& s = shared<Block>();
  const unsigned i = threadIdx.x;
  float sum = 0;
  for (int round = 0; round < 3; ++round) {
    s.values(i) = static_cast<float>(round);
    __syncthreads();
    sum += s.values((i + 32) % 64);
    if (right) __syncthreads();
  }
  out[global_thread()] = sum;
}

// All blocks count in one place.
template <bool right>
__global__ void two_blocks(int* count) {
  if (threadIdx.x != 0) return;
  if (right) {
    atomicAdd(count, 1);
  } else {
    *count += 1;
  }
}

// The last block to finish reads what the others left. The ticket must be drawn after the writing.
template <bool right>
__global__ void last_block(float* partial, unsigned* done, float* out) {
  if (threadIdx.x != 0) return;
  if (right) partial[blockIdx.x] = 1;
  __threadfence();
  const bool last = atomicInc(done, gridDim.x - 1) == gridDim.x - 1;
  if (!right) partial[blockIdx.x] = 1;
  if (!last) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b];
  *out = sum;
}

// A neighbour's copy is there after its wait and a barrier, not after one's own wait.
template <bool right>
__global__ void neighbours_copy(const float* in, float* out) {
  auto& s = shared<Block>();
  const unsigned i = threadIdx.x;
  cp_async(s.values.pointer_to<float>(i), in + i);
  cp_async_wait_all();
  if (right) __syncthreads();
  out[global_thread()] = s.values((i + 63) % 64);
}

// One warp fills a buffer, the other empties it. Without the way back the first fills it too soon.
template <bool right>
__global__ void one_way(float* out) {
  auto& s = shared<Block>();
  const unsigned lane = threadIdx.x % 32;
  for (int round = 0; round < 2; ++round) {
    if (threadIdx.x < 32) {
      s.values(lane) = static_cast<float>(round);
      named_barrier_sync(1, 64);
      if (right) named_barrier_sync(2, 64);
    } else {
      named_barrier_sync(1, 64);
      out[lane] = s.values(lane);
      if (right) named_barrier_sync(2, 64);
    }
  }
}

// Blocks of a cooperative launch. __syncthreads does not order them.
template <bool right>
__global__ void whole_grid(float* out) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x, count = gridDim.x * blockDim.x;
  out[i] = 1;
  if (right) {
    grid_sync();
  } else {
    __syncthreads();
  }
  out[count + i] = out[(i + blockDim.x) % count];
}

// Blocks of one launch and launches of one stream may use the same memory one after the other.
__global__ void writes(float* out) {
  shared<Block>().values(threadIdx.x) = 1;
  __syncthreads();
  out[blockIdx.x * 64 + threadIdx.x] += shared<Block>().values(63 - threadIdx.x);
}

template <bool right>
bool run(const std::string& name) {
  std::vector<float> in(256, 1.0f), out(256);
  std::vector<unsigned> done(1);
  std::vector<int> count(1);
  Stream stream;
  const auto bytes = sizeof(Block);
  if (name == "two_warps") {
    launch<two_warps<right>>(stream, 1, 64, bytes, out.data());
  } else if (name == "one_warp") {
    launch<one_warp<right>>(stream, 1, 32, bytes, out.data());
  } else if (name == "next_round") {
    launch<next_round<right>>(stream, 2, 64, bytes, out.data());
  } else if (name == "two_blocks") {
    launch<two_blocks<right>>(stream, 3, 64, 0, count.data());
  } else if (name == "last_block") {
    launch<last_block<right>>(stream, 4, 32, 0, in.data(), done.data(), out.data());
  } else if (name == "neighbours_copy") {
    launch<neighbours_copy<right>>(stream, 2, 64, bytes, in.data(), out.data());
  } else if (name == "one_way") {
    launch<one_way<right>>(stream, 1, 64, bytes, out.data());
  } else if (name == "whole_grid") {
    launch_cooperative<whole_grid<right>>(stream, 3, 32, 0, out.data());
  } else if (name == "launches" && right) {
    for (int i = 0; i < 3; ++i) launch<writes>(stream, 4, 64, bytes, out.data());
  } else {
    return false;
  }
  stream.synchronize();
  return true;
}

}  // namespace
}  // namespace imago::test

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "", which = argc > 2 ? argv[2] : "";
  const bool found = which == "right"   ? imago::test::run<true>(name)
                     : which == "wrong" ? imago::test::run<false>(name)
                                        : false;
  if (found) return 0;
  std::fprintf(stderr, "usage: %s NAME right|wrong\n", argv[0]);
  return 2;
}
