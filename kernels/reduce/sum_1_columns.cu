// Sums over axes, chapter 1: threads walk down columns, then meet.
//
// The idea. Every sum over neighbouring axes is x (outer, rows, columns) summed over the middle:
// columns = 1 sums the innermost axes, outer = 1 the outermost ones. Threads side by side read
// elements side by side (16 bytes each), so a warp asks memory for whole lines in every one of
// these cases, and each thread adds up what it meets on its way down. kernels/reduce/columns.h has
// the map of threads to elements. Then the row lanes of a block add up in shared memory, pairwise:
//
//   row lane   0   1   2   3   4   5   6
//              | <-|---|---|---'   |   |      half = 4: 4 -> 0, 5 -> 1, 6 -> 2
//              |   | <-|---|-------'   |
//              |   |   | <-|-----------'
//              | <-|---'   |                  half = 2: 2 -> 0, 3 -> 1
//              |   | <-----'
//              | <-'                          half = 1: 1 -> 0
//
// A long sum is cut into parts, blocks of their own, whose sums are again a matrix
// (outer, parts, columns) to be summed by the same kernel: no atomics, one fixed order.
//
// Rounding. Eight rows are added as a tree, at most 32 such trees in a chain, row lanes and parts
// in trees again: the error grows with the logarithm of the number of terms. Sums are in acc_t from
// the first addition to the last.
//
// The bottleneck is memory: x is read once. Eight loads of 16 bytes a thread are under way at a
// time, 32 KB a block, and two blocks fit an SM (about 110 registers a thread); some 30 KB an SM
// cover the latency of an H200's memory (predicted at over 85% of copy bandwidth for tensors beyond
// the L2 cache; not yet run on hardware).
//
// Limits. Rows that do not fold to 16 bytes (more than 128 units) and tensors that start off a
// 16-byte boundary are loaded element by element, which costs instructions, not bytes. 2^31 blocks.
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 8;
constexpr std::int64_t blocks_wanted = 512;  // about four for each SM of a large GPU

template <class A, int lanes>
struct SumBlock {
  LaneTile<A, lanes> value;
};

template <class T, class Out, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    sum_kernel(Columns c, bool aligned,
               const T* x,  // (outer, rows, columns)
               Out* out) {  // (outer, parts, columns)
  using A = acc_t<T>;
  auto& s = shared<SumBlock<A, lanes>>();
  const ColumnPlace at = place_of<lanes>(c, blockIdx.x);

  A sum[lanes] = {};
  const std::int64_t pitch = c.row_lanes * c.width;
  const T* next = x + first_of(c, at);
  for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
    Unit<T, lanes> unit[chunk];
    load_rows(unit, next, pitch, at.count - i, aligned);
    for (int l = 0; l < lanes; ++l) {
      A v[chunk];
      for (int r = 0; r < chunk; ++r) v[r] = static_cast<A>(unit[r].lane[l]);
      sum[l] += ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
    }
  }
  const T* extra = x + extra_of(c, at);
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    if (l < at.extra) sum[l] += static_cast<A>(extra[l]);
  }

  for (int l = 0; l < lanes; ++l) s.value(at.slot + l) = sum[l];
  add_row_lanes<A, lanes>(s.value, c, at);

  const std::int64_t block = blockIdx.x;
  const std::int64_t tile = block % c.tiles, outer_block = block / c.tiles / c.parts;
  const int columns = result_columns<lanes>(c, tile);
  const std::int64_t first_column = tile * c.tile_units * lanes;
  for (int i = static_cast<int>(threadIdx.x); i < c.outers * columns; i += column_threads) {
    const int outer_lane = i / columns, j = i % columns;
    const std::int64_t outer = outer_block * c.outers + outer_lane;
    if (outer >= c.outer) break;
    out[(outer * c.parts + at.part) * c.columns + first_column + j] =
        static_cast<Out>(folded_sum<A, lanes>(s.value, c, outer_lane, j));
  }
}

template <class T, class Out>
void run(const Columns& c, const Tensor& x, Tensor& out) {
  const auto go = [&]<int lanes>() {
    const T* px = x.device_data<T>();
    const bool aligned = units_aligned(c, misalignment16(px), Pack<T>::lanes);
    launch<sum_kernel<T, Out, lanes>>(
        current_stream(), grid_for("sum_to", c.blocks() * column_threads, column_threads),
        column_threads, sizeof(SumBlock<acc_t<T>, lanes>), c, aligned, px,
        out.mutable_device_data<Out>());
  };
  if (c.packed) {
    go.template operator()<Pack<T>::lanes>();
  } else {
    go.template operator()<1>();
  }
}

}  // namespace

void sum_middle_cuda(const Tensor& x, std::int64_t outer, std::int64_t rows, std::int64_t columns,
                     Tensor& out) {
  const int lanes = static_cast<int>(16 / size_of(x.dtype()));
  const Columns c =
      plan_columns(outer, rows, columns, {.lanes = lanes, .chunk = chunk, .blocks = blocks_wanted});
  const DType acc = acc_dtype(x.dtype());
  Tensor partial;
  if (c.parts > 1) partial = Tensor::empty({outer, c.parts, columns}, acc, x.device());
  Tensor& result = c.parts > 1 ? partial : out;
  dispatch<float, double, bf16>(x.dtype(), "sum_to", [&]<class T> {
    if (result.dtype() == acc) {
      run<T, acc_t<T>>(c, x, result);
    } else {
      if constexpr (!std::is_same_v<T, double>) run<T, bf16>(c, x, result);
    }
  });
  if (c.parts > 1) sum_middle_cuda(partial, outer, c.parts, columns, out);
}

}  // namespace imago::kernels
