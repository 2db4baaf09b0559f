// The tile loop of rung 3: every thread holds a small matrix of outputs in registers. f32.
//
// Shared memory feeds rung 2 too slowly: five reads for four multiply-adds. An 8 x 8 tile in the
// registers of a thread reads 8 + 8 numbers for 64 multiply-adds, four numbers to a read.
//
//   a block's tile, 128 x 128, 16 x 16 threads (the wide shape)      a warp: 4 x 8 threads
//
//            n0    n0+32        n0+64                                 outputs of thread (tm, tn):
//          +------+------+------+------+                              rows    4 tm .. 4 tm + 3
//    m0    | warp | warp | warp | warp |   Each warp has a 16 x 32            and 64 more
//          |  0   |  1   |  0   |  1   |   part of every quarter:     columns 4 tn .. 4 tn + 3
//          +------+------+------+------+   the float4 reads of a              and 64 more
//    m0+16 | warp | warp |  ..  |  ..  |   warp touch 4 neighbouring
//          |  2   |  3   |      |      |   float4 of a (64 bytes, read by 8 threads at once) and
//          +------+------+------+------+   8 of b (128 bytes: every bank once).
//    ...
//
// Two buffers: while slice i is multiplied, the loads of slice i + 1 are on their way into
// registers; they are stored into the other buffer afterwards, and one barrier a slice is enough.
//
// Shared memory holds both pieces with k as the slow index, because a thread wants neighbours along
// m and n. An operand whose memory runs along k is transposed on the way in, four stores to a
// float4. In slices of 16 the lanes of a warp then store 8 rows x 4 quads of k at once; with plain
// rows of 128 floats the four quads would meet in the same banks. So element (k, i) is stored at
// column i ^ swizzle(k), which differs by 8 from quad to quad: 8 rows x 4 quads = 32 banks. (In
// slices of 8 it is 16 rows x 2 quads, which differ by 16. Loads of one element
// bring 16 depths x 2 rows at once; the 4 * (k % 2) leaves two of them to a bank.) The swizzle
// moves whole float4 only, so that reads along i stay one access, and it is a constant once k is
// unrolled.
#pragma once

#include <utility>

#include "kernels/gemm/operands.cuh"

namespace imago::kernels {

// m x n outputs of a block from slices of k depths, by threads_m x threads_n threads, of which
// 32 / warp_n x warp_n make a warp. blocks_per_sm bounds the registers of a thread.
template <int m_, int n_, int k_, int threads_m_, int threads_n_, int warp_n_, int blocks_per_sm_>
struct TileShape {
  static constexpr int m = m_, n = n_, k = k_;
  static constexpr int threads_m = threads_m_, threads_n = threads_n_;
  static constexpr int threads = threads_m * threads_n;
  static constexpr int warp_n = warp_n_, warp_m = 32 / warp_n;
  static constexpr int blocks_per_sm = blocks_per_sm_;
  static constexpr int quads_m = m / threads_m / 4, quads_n = n / threads_n / 4;
  static_assert(quads_m * threads_m * 4 == m && quads_n * threads_n * 4 == n && k % 8 == 0);
  static_assert(threads_m % warp_m == 0 && threads_n % warp_n == 0);

  struct Block {
    Tile<float, 2, k, m> a;
    Tile<float, 2, k, n> b;
    Tile<int, m> rows;  // of the result: where they start
  };
  using Sums = float[4 * quads_m][4 * quads_n];

  // Column of shared memory for row i at depth k of a transposed operand `extent` wide.
  __device__ static int swizzle(int at_k, int i, int extent) {
    constexpr int quads = k / 4;
    return extent % 32 ? i : i ^ (at_k / 4 % quads * (32 / quads) + at_k % 2 * 4);
  }
  // Where this thread stands among threads_m x threads_n.
  __device__ static int thread_m() {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    return warp / (threads_n / warp_n) * warp_m + lane / warp_n;
  }
  __device__ static int thread_n() {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    return warp % (threads_n / warp_n) * warp_n + lane % warp_n;
  }
};

// Brings one operand, rows (columns of b) first..first + extent - 1, slice after slice: fetch asks
// global memory, store puts what has come into shared memory.
template <class Shape, class Operand, int extent>
class SliceLoader {
 public:
  __device__ SliceLoader(const Operand& operand, int first) : operand_(operand) {
#pragma unroll
    for (int i = 0; i < outers; ++i) {
      outer_[i] = operand.outer(first + (along_k ? line(i) : along()));
    }
  }

  // Depths k0 .. k0 + k - 1.
  __device__ void fetch(int k0) {
    if constexpr (along_k) {
      const auto inner = operand_.inner(k0 + along());
#pragma unroll
      for (int i = 0; i < count; ++i) {
        if (mine(i)) values_[i] = operand_.load(outer_[i], inner);
      }
    } else {
#pragma unroll
      for (int i = 0; i < count; ++i) {
        if (mine(i)) values_[i] = operand_.load(outer_[0], operand_.inner(k0 + line(i)));
      }
    }
  }

  __device__ void store(Tile<float, 2, Shape::k, extent>& tile, int buffer) const {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (!mine(i)) continue;
      if constexpr (along_k) {
#pragma unroll
        for (int e = 0; e < lanes; ++e) {
          const int k = along() + e;
          tile(buffer, k, Shape::swizzle(k, line(i), extent)) = values_[i].lane[e];
        }
      } else {
        tile.store_as(values_[i], buffer, line(i), along());
      }
    }
  }

 private:
  static constexpr bool along_k = Operand::along_k;
  static constexpr int lanes = Operand::lanes;
  // A piece is `lines` lines of memory of `per_line` loads each.
  static constexpr int per_line = (along_k ? Shape::k : extent) / lanes;
  static constexpr int lines = along_k ? extent : Shape::k;
  static constexpr int step = Shape::threads / per_line;  // lines that the block covers at once
  static constexpr int count = (lines + step - 1) / step;
  static constexpr int outers = along_k ? count : 1;
  static_assert(Shape::threads % per_line == 0 && (lines % step == 0 || count == 1));

  __device__ static int line(int i) {
    return static_cast<int>(threadIdx.x) / per_line + i * step;
  }
  __device__ static int along() {
    return static_cast<int>(threadIdx.x) % per_line * lanes;
  }
  __device__ static bool mine(int i) {
    return lines % step == 0 || line(i) < lines;
  }

  using Outer = decltype(std::declval<const Operand&>().outer(0));
  const Operand& operand_;
  Outer outer_[outers];
  Lanes<float, lanes> values_[count] = {};  // threads without a line keep zeros
};

// sums = the tile at (m0, n0) of a * b over depths k_begin <= k < k_end, added in ascending order.
// k_begin is a multiple of Shape::k, and so is k_end, unless both operands end there. Where there
// is nothing to add, one slice of zeros is added all the same.
template <class Shape, class A, class B>
__device__ void multiply_registers(const A& a, const B& b, int m0, int n0, int k_begin, int k_end,
                                   typename Shape::Sums& sums) {
  auto& s = shared<typename Shape::Block>();
  SliceLoader<Shape, A, Shape::m> rows(a, m0);
  SliceLoader<Shape, B, Shape::n> columns(b, n0);
  const int m = Shape::thread_m() * 4, n = Shape::thread_n() * 4;
#pragma unroll
  for (auto& row : sums) {
#pragma unroll
    for (float& sum : row) sum = 0;
  }
  rows.fetch(k_begin);
  columns.fetch(k_begin);
  int buffer = 0;
  for (int k0 = k_begin;; k0 += Shape::k) {
    rows.store(s.a, buffer);
    columns.store(s.b, buffer);
    __syncthreads();
    const bool more = k0 + Shape::k < k_end;
    if (more) {
      rows.fetch(k0 + Shape::k);
      columns.fetch(k0 + Shape::k);
    }
#pragma unroll
    for (int k = 0; k < Shape::k; ++k) {
      Lanes<float, 4> left[Shape::quads_m], right[Shape::quads_n];
      const int at_m = A::along_k ? Shape::swizzle(k, m, Shape::m) : m;
      const int at_n = B::along_k ? Shape::swizzle(k, n, Shape::n) : n;
#pragma unroll
      for (int q = 0; q < Shape::quads_m; ++q) {
        left[q] = s.a.template load_as<Lanes<float, 4>>(buffer, k, at_m + q * 4 * Shape::threads_m);
      }
#pragma unroll
      for (int q = 0; q < Shape::quads_n; ++q) {
        right[q] =
            s.b.template load_as<Lanes<float, 4>>(buffer, k, at_n + q * 4 * Shape::threads_n);
      }
#pragma unroll
      for (int i = 0; i < 4 * Shape::quads_m; ++i) {
#pragma unroll
        for (int j = 0; j < 4 * Shape::quads_n; ++j) {
          sums[i][j] = fma(left[i / 4].lane[i % 4], right[j / 4].lane[j % 4], sums[i][j]);
        }
      }
    }
    if (!more) return;
    buffer ^= 1;
  }
}

// Finds where the rows of a block's tile start, each row once, for store_registers. The sink's
// numbers then need no registers during the product, whose first barrier the rows have to wait for.
template <class Shape, class Sink>
__device__ void place_rows(const Sink& sink, int m0) {
  auto& s = shared<typename Shape::Block>();
  for (int i = static_cast<int>(threadIdx.x); i < Shape::m; i += Shape::threads) {
    s.rows(i) = sink.row(m0 + i);
  }
}

// Stores what multiply_registers left in `sums` into rows of `columns` elements, four at once where
// `vectors` says that they start at multiples of 16 bytes and have a multiple of 4 columns.
template <class Shape>
__device__ void store_registers(const typename Shape::Sums& sums, float* out, int columns, int n0,
                                bool vectors) {
  const auto& s = shared<typename Shape::Block>();
  const int m = Shape::thread_m() * 4, n = n0 + Shape::thread_n() * 4;
#pragma unroll
  for (int i = 0; i < 4 * Shape::quads_m; ++i) {
    const int row = s.rows(m + i / 4 * 4 * Shape::threads_m + i % 4);
    if (row < 0) continue;
#pragma unroll
    for (int q = 0; q < Shape::quads_n; ++q) {
      const int column = n + q * 4 * Shape::threads_n;
      const float* quad = sums[i] + 4 * q;
      if (vectors) {
        if (column >= columns) continue;
        store_as(out + (row + column), Lanes<float, 4>{quad[0], quad[1], quad[2], quad[3]});
      } else {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          if (column + e < columns) out[row + column + e] = quad[e];
        }
      }
    }
  }
}

}  // namespace imago::kernels
