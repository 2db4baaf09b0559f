// Softmax, chapter 2: along an axis that is not the innermost.
//
// The idea. In x (outer, length, inner) the elements of one problem lie `inner` apart, but those of
// neighbouring problems side by side. So a warp takes 32 neighbouring columns and reads whole
// lines; 8 warps share the rows of the axis between them and meet in shared memory:
//
//                     columns  c0  c1  c2 ... c31
//   rows 0, 8, 16 ...   warp 0  [ ][ ][ ]     [ ]     each thread: the largest, then the sum, of
//   rows 1, 9, 17 ...   warp 1  [ ][ ][ ]     [ ]     its rows; then all 8 of a column are joined,
//   ...                                               in order, by every thread of the column
//   rows 7, 15, 23 ...  warp 7  [ ][ ][ ]     [ ]
//
// The bottleneck is memory: the tile of a block, 128 bytes wide, is read three times (gradients:
// twice) and the second time comes from the L1 or L2 cache while length * 128 bytes of all blocks
// of an SM fit it (predicted, not yet run on hardware).
//
// Limits. Where inner is no multiple of 32, threads of the last tile are idle; 2^31 blocks.
#include "kernels/launch.h"
#include "kernels/softmax/engines.h"
#include "kernels/softmax/formulas.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int tile_columns = 32, row_lanes = 8, block_size = tile_columns * row_lanes;

template <class A>
struct ColumnBlock {
  Tile<A, row_lanes, tile_columns> value;
};

// The join over the row lanes of a column, for all of them. Ends with a barrier.
template <class A, class Join>
__device__ A join_lanes(ColumnBlock<A>& s, int lane, int column, A mine, Join join) {
  s.value(lane, column) = mine;
  __syncthreads();
  A total = s.value(0, column);
  for (int r = 1; r < row_lanes; ++r) total = join(total, s.value(r, column));
  __syncthreads();
  return total;
}

template <Softmax op, class T>
__global__ void __launch_bounds__(block_size)
    softmax_columns_kernel(std::int64_t length, std::int64_t inner, std::int64_t tiles,
                           const T* a,  // (outer, length, inner): x or dy
                           const T* b,  // (outer, length, inner): y of the gradients
                           T* out) {    // (outer, length, inner)
  using A = acc_t<T>;
  auto& s = shared<ColumnBlock<A>>();
  const int column = static_cast<int>(threadIdx.x) % tile_columns;
  const int lane = static_cast<int>(threadIdx.x) / tile_columns;
  const std::int64_t outer = blockIdx.x / tiles;
  const std::int64_t first = blockIdx.x % tiles * tile_columns + column;
  const bool works = first < inner;
  const std::int64_t start = outer * length * inner + first;
  // Calls f(offset, value of a, value of b) for this thread's elements.
  const auto walk = [&](auto&& f) {
    for (std::int64_t k = lane; works && k < length; k += row_lanes) {
      const std::int64_t i = start + k * inner;
      const A left = static_cast<A>(a[i]);
      f(i, left, has_base(op) ? left : static_cast<A>(b[i]));
    }
  };

  A base = 0;
  if constexpr (has_base(op)) {
    A largest = fold_nothing<Fold::max, A>();
    walk([&](std::int64_t, A x, A) { largest = larger(largest, x); });
    base = join_lanes(s, lane, column, largest, [](A x, A y) { return larger(x, y); });
  }
  A sum = 0;
  walk([&](std::int64_t, A x, A y) { sum += softmax_term<op>(x, y, base); });
  sum = join_lanes(s, lane, column, sum, [](A x, A y) { return x + y; });
  const A factor = softmax_factor<op>(sum);
  walk([&](std::int64_t i, A x, A y) {
    const A term = op == Softmax::softmax ? softmax_term<op>(x, y, base) : A(0);
    out[i] = static_cast<T>(softmax_value<op>(x, y, base, term, factor));
  });
}

}  // namespace

void softmax_columns_cuda(Softmax op, const Tensor& a, const Tensor& b, std::int64_t outer,
                          std::int64_t length, std::int64_t inner, Tensor& out) {
  const std::int64_t tiles = (inner + tile_columns - 1) / tile_columns;
  dispatch<float, double, bf16>(a.dtype(), name_of(op), [&]<class T> {
    with_softmax(op, [&]<Softmax o> {
      launch<softmax_columns_kernel<o, T>>(
          current_stream(), grid_for(name_of(op), outer * tiles * block_size, block_size),
          block_size, sizeof(ColumnBlock<acc_t<T>>), length, inner, tiles, a.device_data<T>(),
          b.device_data<T>(), out.mutable_device_data<T>());
    });
  });
}

}  // namespace imago::kernels
