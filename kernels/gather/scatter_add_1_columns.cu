// Adding up by an index of each element, chapter 1: threads that own sums walk down their column.
//
// The idea. out[v] of a column is the sum of the x[p] of that column whose index is v. As in
// index_add_1_lists.cu a block owns sums, 64 places of 32 columns, in shared memory; but here every
// column has indices of its own, and there is no common list. The 8 threads of a column each read
// all of its indices, 8 at a time, and add what belongs to their 8 places, in ascending order of p:
//
//   x, indices (picks, columns)              sums (64 places, 32 columns)
//
//     lane = column                            warp g has places g, g + 8, g + 16, ...
//   p  | . . . . |   every warp reads        v | . . . . |
//      | . . . . |   every row               0 | g = 0   |
//      | . . . . |   (from the L1 cache)     1 | g = 1   |  ...
//
// A column is (o, i): the places outside and inside of the axis. Where the axis is the innermost
// one, neighbouring columns lie `extent` apart in the result, which is then written along the
// places: that is why the sums go through a barrier and why their rows are one longer than they
// need be.
//
// Complexity: each of outer * inner columns has its P indices read (V / 64) * 8 times, at best from
// the caches. Meant for choosing a few of many (P = 1: the score of a label) and for moderate
// P * V; one index for whole rows is index_add's.
//
// The bottleneck is reading the indices: 8 bytes for each element of 4, again for each 64 places.
// Limits. Fewer than 2^31 blocks and columns. An index outside of the range makes the sums of its
// column NaN.
#include <limits>

#include "kernels/divisor.h"
#include "kernels/gather/engines.h"
#include "kernels/gather/inside.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int lanes = 32, warps = 8, threads = lanes * warps;
constexpr int range = 64;  // places of a block
constexpr int ahead = 8;   // indices on their way at a time

template <class A>
struct ScatterAddBlock {
  Tile<A, range, lanes + 1> sums;
};

struct ScatterAddGrid {
  std::int64_t extent, picks;
  Divisor inner, ranges;  // block = tile of columns * ranges + range
  int columns;            // outer * inner
};

template <class T>
__global__ void __launch_bounds__(threads)
    scatter_add_kernel(ScatterAddGrid g, const T* x,  // (outer, picks, inner)
                       const std::int64_t* indices,   // (outer, picks, inner)
                       T* out) {                      // (outer, extent, inner)
  using A = acc_t<T>;
  auto& s = shared<ScatterAddBlock<A>>();
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int warp = static_cast<int>(threadIdx.x) / lanes;
  const int block = static_cast<int>(blockIdx.x), tile = g.ranges.divide(block);
  const std::int64_t first = std::int64_t{block - tile * g.ranges.value} * range;
  // Where element p = 0 of a column lies, of `extent` elements between the outer parts.
  const auto place_of = [&](int column, std::int64_t extent) {
    const int o = g.inner.divide(column);
    return o * extent * g.inner.value + (column - o * g.inner.value);
  };
  const int column = tile * lanes + lane;
  const std::int64_t picks = column < g.columns ? g.picks : 0;
  const std::int64_t start = place_of(column, g.picks);

  for (int v = warp; v < range; v += warps) s.sums(v, lane) = 0;
  bool outside = false;
  for (std::int64_t p = 0; p < picks; p += ahead) {
    std::int64_t index[ahead];
#pragma unroll
    for (int k = 0; k < ahead; ++k) {
      index[k] = p + k < picks ? indices[start + (p + k) * g.inner.value] : 0;
    }
#pragma unroll
    for (int k = 0; k < ahead; ++k) {
      if (p + k >= picks) break;
      outside = outside || !inside(index[k], 0, g.extent);
      if (!inside(index[k], first, range)) continue;
      const int v = static_cast<int>(index[k] - first);
      if (v % warps == warp) s.sums(v, lane) += static_cast<A>(x[start + (p + k) * g.inner.value]);
    }
  }
  if (outside) {
    for (int v = warp; v < range; v += warps) s.sums(v, lane) = std::numeric_limits<A>::quiet_NaN();
  }
  __syncthreads();
  const bool along_places = g.inner.value < lanes;
  for (int e = static_cast<int>(threadIdx.x); e < range * lanes; e += threads) {
    const int v = along_places ? e % range : e / lanes;
    const int c = along_places ? e / range : e % lanes;
    if (first + v >= g.extent || tile * lanes + c >= g.columns) continue;
    const std::int64_t to = place_of(tile * lanes + c, g.extent) + (first + v) * g.inner.value;
    out[to] = static_cast<T>(s.sums(v, c));
  }
}

}  // namespace

void scatter_add_columns(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  const std::int64_t columns = p.outer * p.inner, ranges = (p.extent + range - 1) / range;
  check(columns <= std::numeric_limits<std::int32_t>::max() - lanes, "scatter_add", "x has ",
        columns, " columns, more than one launch can take");
  const dim3 grid = grid_for("scatter_add", (columns + lanes - 1) / lanes * ranges, 1);
  const ScatterAddGrid g{p.extent, p.picks, Divisor(p.inner), Divisor(ranges),
                         static_cast<int>(columns)};
  dispatch<float, double, bf16>(x.dtype(), "scatter_add", [&]<class T> {
    launch<scatter_add_kernel<T>>(
        current_stream(), grid, threads, sizeof(ScatterAddBlock<acc_t<T>>), g, x.device_data<T>(),
        indices.device_data<std::int64_t>(), out.mutable_device_data<T>());
  });
}

}  // namespace imago::kernels
