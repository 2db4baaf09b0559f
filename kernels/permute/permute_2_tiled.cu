// Reordering axes, chapter 2: matrix transposes through shared memory.
//
// What changed. In chapter 1 the threads of a warp stored side by side and read far apart. Any
// reordering that breaks up the innermost axis is a batch of matrix transposes: rows along the loop
// that is innermost in the result, columns along the one that is innermost in x. A block copies a
// tile of such a matrix into shared memory row by row, waits, and stores it column by column; both
// times the 32 lanes of a warp move neighbours.
//
//   x: rows far apart                tile (edge x edge + pad)          result: columns far apart
//
//         columns ->                    lane 0 1 2 ... 31                   rows ->
//   row 0 | 0 1 2 .. 31 |   load     +--------------------+   store    column 0 | 0 1 2 .. 31 |
//   row 1 | 0 1 2 .. 31 |  ------>   | group g: rows g,   |  ------>   column 1 | 0 1 2 .. 31 |
//    ..                              |   g + 8, g + 16 .. |             ..
//                                    +--------------------+   group g: columns g, g + 8, ...
//
// A tile's rows are 4 bytes longer than they need be (one word where words are larger), so that the
// lanes that walk down a column meet 32 different banks. Edges are 32 words; 64 where a word
// has 1 or 2 bytes, so that a row of a tile fills more of the lines that it touches.
//
// The bottleneck is memory: each word is read once and written once. Four loads of a thread are
// under way before the barrier (16 of narrow words); predicted at over 75 per cent of copy
// bandwidth for words of 4 bytes and more, half of it for single bytes, not yet run on hardware.
//
// Limits. Units of 1, 2, 4, 8 or 16 bytes, fewer than 2^31 tiles. A matrix of fewer than 16 rows or
// columns leaves most of a tile empty; chapter 1 takes those.
#include "kernels/permute/engines.h"
#include "kernels/permute/loops.cuh"
#include "kernels/words.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int lanes = 32, groups = 8;

template <class W>
struct TransposeTile {
  static constexpr int edge = sizeof(W) < 4 ? 64 : 32;
  static constexpr int pad = sizeof(W) < 4 ? 4 / static_cast<int>(sizeof(W)) : 1;

  struct Block {
    Tile<W, edge, edge + pad> word;
  };
};

// The batch of matrices: element (i, j) lies i * row_step + j words past where the matrix starts in
// x, and j * column_step + i words past where it starts in the result.
struct Matrices {
  LoopNest batch;
  int rows, columns;
  Divisor down, across;  // tiles of a matrix
  std::int64_t row_step, column_step;
};

template <class W>
__global__ void __launch_bounds__(lanes* groups)
    permute_tiled_kernel(Matrices m, const std::byte* x, std::byte* out) {
  constexpr int edge = TransposeTile<W>::edge;
  auto& s = shared<typename TransposeTile<W>::Block>();
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int group = static_cast<int>(threadIdx.x) / lanes;
  const int tile = static_cast<int>(blockIdx.x);
  const int row_of_tiles = m.across.divide(tile), matrix = m.down.divide(row_of_tiles);
  const int i0 = (row_of_tiles - matrix * m.down.value) * edge;
  const int j0 = (tile - row_of_tiles * m.across.value) * edge;
  const FromTo start = m.batch.at(matrix);

#pragma unroll
  for (int i = group; i < edge; i += groups) {
#pragma unroll
    for (int j = lane; j < edge; j += lanes) {
      if (i0 + i < m.rows && j0 + j < m.columns) {
        s.word(i, j) = load_word<W>(x, start.from + (i0 + i) * m.row_step + j0 + j);
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int j = group; j < edge; j += groups) {
#pragma unroll
    for (int i = lane; i < edge; i += lanes) {
      if (i0 + i < m.rows && j0 + j < m.columns) {
        store_word(out, start.to + (j0 + j) * m.column_step + i0 + i, s.word(i, j));
      }
    }
  }
}

}  // namespace

void permute_tiled(const Tensor& x, const PermutePlan& plan, Tensor& out) {
  Matrices m{};
  std::int64_t batches = 1;
  for (std::size_t i = 0; i + 1 < plan.loops.size(); ++i) {
    if (static_cast<int>(i) == plan.columns) continue;
    m.batch.add(plan.loops[i]);
    batches *= plan.loops[i].extent;
  }
  const PermuteLoop rows = plan.loops.back();
  const PermuteLoop columns = plan.loops[static_cast<std::size_t>(plan.columns)];
  m.rows = static_cast<int>(rows.extent);
  m.columns = static_cast<int>(columns.extent);
  m.row_step = rows.from;
  m.column_step = columns.to;
  const std::byte* from = x.device_bytes();
  std::byte* to = out.mutable_device_bytes();
  with_word(static_cast<int>(plan.unit_bytes(x.dtype())), [&]<class W> {
    constexpr std::int64_t edge = TransposeTile<W>::edge;
    const std::int64_t down = (rows.extent + edge - 1) / edge;
    const std::int64_t across = (columns.extent + edge - 1) / edge;
    m.down = Divisor(down);
    m.across = Divisor(across);
    launch<permute_tiled_kernel<W>>(current_stream(),
                                    grid_for("permute", batches * down * across, 1), lanes * groups,
                                    sizeof(typename TransposeTile<W>::Block), m, from, to);
  });
}

}  // namespace imago::kernels
