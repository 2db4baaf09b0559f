// Shared memory, barriers and vectors in a few lines: see demo.h.
#include "kernels/launch.h"
#include "tests/emulator/demo.h"

namespace imago::test {
namespace {

using namespace kernels;

constexpr int side = 8;
constexpr int row = 64;

struct Square {
  Tile<float, side, side> tile;
};

//   in, block (1, 0)          s.tile            out, block (0, 1)
//   thread (x, y) reads       the same          thread (x, y) writes its row
//   row y, column x     ->    element     ->    y of tile(x, y): coalesced
//                                               both ways
template <bool barriers>
__global__ void transpose_kernel(int size, const float* in, float* out) {
  auto& s = shared<Square>();
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const int left = static_cast<int>(blockIdx.x) * side, top = static_cast<int>(blockIdx.y) * side;
  s.tile(y, x) = in[(top + y) * size + left + x];
  if (barriers) __syncthreads();
  out[(left + y) * size + top + x] = s.tile(x, y);
}

struct Sums {
  Tile<float, row> partial;
};

// A tree of six rounds, the second half added to the first. Only the barrier inside the loop can
// be left out.
template <bool barriers>
__global__ void sum_kernel(const float* in, float* out) {
  auto& s = shared<Sums>();
  const int i = static_cast<int>(threadIdx.x);
  s.partial(i) = in[row * blockIdx.x + threadIdx.x];
  for (int half = row / 2; half > 0; half /= 2) {
    if (barriers || half == row / 2) __syncthreads();
    if (i < half) s.partial(i) += s.partial(i + half);
  }
  if (i == 0) out[blockIdx.x] = s.partial(0);
}

struct Rows {
  Tile<float, 4, 8> tile;
};

__global__ void vector_kernel(int column, float* out) {
  auto& s = shared<Rows>();
  for (int j = 0; j < 8; j += 4) {
    const auto base = static_cast<float>(10 * threadIdx.x + static_cast<unsigned>(j));
    s.tile.store_as(make_float4(base, base + 1, base + 2, base + 3), threadIdx.x, j);
  }
  __syncthreads();
  if (threadIdx.x == 0) store_as(out, s.tile.load_as<float4>(1, column));
}

}  // namespace

void demo_transpose(Stream& stream, int size, const float* in, float* out, Barriers barriers) {
  const auto blocks = static_cast<unsigned>(size / side);
  const dim3 grid(blocks, blocks), block(side, side);
  if (barriers == Barriers::kept) {
    launch<transpose_kernel<true>>(stream, grid, block, sizeof(Square), size, in, out);
  } else {
    launch<transpose_kernel<false>>(stream, grid, block, sizeof(Square), size, in, out);
  }
}

void demo_sum(Stream& stream, int blocks, const float* in, float* out, Barriers barriers) {
  if (barriers == Barriers::kept) {
    launch<sum_kernel<true>>(stream, static_cast<unsigned>(blocks), row, sizeof(Sums), in, out);
  } else {
    launch<sum_kernel<false>>(stream, static_cast<unsigned>(blocks), row, sizeof(Sums), in, out);
  }
}

void demo_vector(Stream& stream, int column, float* out) {
  launch<vector_kernel>(stream, 1, 4, sizeof(Rows), column, out);
}

}  // namespace imago::test
