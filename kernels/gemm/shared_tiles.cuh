// The tile loop of rung 2: a block of threads computes a tile of the product through shared memory.
//
// For each slice of `tile` depths the block copies a (tile x tile) piece of both operands into
// shared memory, waits, multiplies the pieces, waits, and goes on. An element of an operand is
// loaded from global memory once for `tile` outputs that use it, not once for each.
//
//             n0 .. n0+31                       thread t = 32 * group + lane, group 0..7
//           +-------------+
//           | b: 32 x 32  | k                   owns 4 outputs: rows m0 + 4 * group + 0..3,
//           +-------------+                                     column n0 + lane
//   m0   +-----+-------------+  group 0
//    .   |a    | 4 rows      |  group 1         per depth it reads 1 element of b (its own column:
//    .   |32x32| of 32 lanes |    ...           32 banks, no conflict) and 4 of a (the same for the
//   m0+31+-----+-------------+  group 7         whole warp: a broadcast) for 4 multiply-adds
//           k
//
// Loading, a warp's lanes run along whatever lies side by side in memory, k or m or n. The rows of
// a tile are one element longer than they need be (33), so that lanes that walk down a column
// meet 32 different banks too.
#pragma once

#include <type_traits>
#include <utility>

#include "kernels/gemm/operands.cuh"

namespace imago::kernels {

struct SharedTiles {
  static constexpr int tile = 32;
  static constexpr int rows_of_thread = 4;
  static constexpr int threads = tile * tile / rows_of_thread;
  static constexpr int groups = threads / tile;

  template <class Acc>
  struct Block {
    Tile<Acc, tile, tile + 1> a;  // (m, k)
    Tile<Acc, tile, tile + 1> b;  // (k, n)
  };

  // blockIdx.x counts tiles of m rows, blockIdx.y tiles of n columns.
  static dim3 grid(std::int64_t m, std::int64_t n, std::int64_t batches = 1) {
    return dim3(static_cast<unsigned>((m + tile - 1) / tile),
                static_cast<unsigned>((n + tile - 1) / tile), static_cast<unsigned>(batches));
  }
};

// Brings one operand's pieces: rows (columns of b) first..first + 31, slice after slice. Each
// thread copies four elements of a piece, of four lines that are eight apart.
template <class Operand>
class PieceLoader {
 public:
  __device__ PieceLoader(const Operand& operand, int first) : operand_(operand) {
#pragma unroll
    for (int line = 0; line < rows; ++line) {
      row_[line] = operand.outer(first + (Operand::along_k ? group() + line * groups : lane()));
    }
  }

  // Depths k0..k0 + 31; put(i, k, value) stores element k of row i.
  template <class Put>
  __device__ void copy(int k0, Put&& put) const {
    using Acc = acc_t<typename Operand::Element>;
#pragma unroll
    for (int i = 0; i < lines; ++i) {
      const int line = group() + i * groups;
      if constexpr (Operand::along_k) {
        const auto value = operand_.load(row_[i], operand_.inner(k0 + lane()));
        put(line, lane(), static_cast<Acc>(value.lane[0]));
      } else {
        const auto value = operand_.load(row_[0], operand_.inner(k0 + line));
        put(lane(), line, static_cast<Acc>(value.lane[0]));
      }
    }
  }

 private:
  static_assert(Operand::lanes == 1);
  static constexpr int groups = SharedTiles::groups;
  static constexpr int lines = SharedTiles::tile / groups;
  static constexpr int rows = Operand::along_k ? lines : 1;
  using Outer = decltype(std::declval<const Operand&>().outer(0));

  __device__ static int lane() {
    return static_cast<int>(threadIdx.x) % SharedTiles::tile;
  }
  __device__ static int group() {
    return static_cast<int>(threadIdx.x) / SharedTiles::tile;
  }

  const Operand& operand_;
  Outer row_[rows];
};

// sum[i] = element (m0 + 4 * group + i, n0 + lane) of the product a * b over depths 0..depth - 1.
// Both operands have one lane. Depths are added in ascending order.
template <class A, class B, class Acc>
__device__ void multiply_shared(const A& a, const B& b, int m0, int n0, int depth,
                                Acc (&sum)[SharedTiles::rows_of_thread]) {
  using Shape = SharedTiles;
  auto& s = shared<Shape::Block<Acc>>();
  const int lane = static_cast<int>(threadIdx.x) % Shape::tile;
  const int first = static_cast<int>(threadIdx.x) / Shape::tile * Shape::rows_of_thread;
  const PieceLoader<A> rows(a, m0);
  const PieceLoader<B> columns(b, n0);
  for (Acc& one : sum) one = 0;
  for (int k0 = 0; k0 < depth; k0 += Shape::tile) {
    rows.copy(k0, [&](int i, int k, Acc value) { s.a(i, k) = value; });
    columns.copy(k0, [&](int i, int k, Acc value) { s.b(k, i) = value; });
    __syncthreads();
#pragma unroll 8
    for (int k = 0; k < Shape::tile; ++k) {
      const Acc right = s.b(k, lane);
#pragma unroll
      for (int i = 0; i < Shape::rows_of_thread; ++i)
        sum[i] = fma(s.a(first + i, k), right, sum[i]);
    }
    __syncthreads();
  }
}

// Stores what multiply_shared left in `sum`, rounded to the type of the sink.
template <class Sink, class Acc>
__device__ void store_shared(const Acc (&sum)[SharedTiles::rows_of_thread], const Sink& sink,
                             int m0, int n0) {
  using Shape = SharedTiles;
  const int n = n0 + static_cast<int>(threadIdx.x) % Shape::tile;
  const int m = m0 + static_cast<int>(threadIdx.x) / Shape::tile * Shape::rows_of_thread;
  if (n >= sink.columns) return;
  for (int i = 0; i < Shape::rows_of_thread; ++i) {
    const int row = sink.row(m + i);
    if (row < 0) continue;
    auto& out = sink.out[row + n];
    out = static_cast<std::remove_reference_t<decltype(out)>>(sum[i]);
  }
}

// The tile of a block, as SharedTiles::grid hands them out.
template <class A, class B, class Sink>
__device__ void product_shared(const A& a, const B& b, const Sink& sink, int depth) {
  const int m0 = static_cast<int>(blockIdx.x) * SharedTiles::tile;
  const int n0 = static_cast<int>(blockIdx.y) * SharedTiles::tile;
  acc_t<typename A::Element> sum[SharedTiles::rows_of_thread];
  multiply_shared(a, b, m0, n0, depth, sum);
  store_shared(sum, sink, m0, n0);
}

}  // namespace imago::kernels
