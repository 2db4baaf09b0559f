// Adding up by index, chapter 1: blocks that own the sums and look for their terms.
//
// The idea. out[v] = the sum of the rows x[p] whose index is v. Threads that own rows of x would
// have to meet in out, with atomics and in no fixed order. So threads own sums: a block
// has 64 places v and 32 columns, keeps the sums in shared memory, and reads the whole list of
// indices, 256 at a time. What concerns the block is picked out of the 256 into a short list, in
// the order of the positions; its place in that list a thread knows from a ballot of its warp and
// the counts of the warps before:
//
//   256 indices      7 70 3 9 ..        a block of places 0..63      warp g = 0..7, lane = column
//   of this block?   y  n y y ..
//   list             (p, v) (p, v) (p, v) ..    -> warp v % 8 adds x[p, its 32 columns] to its sum
//
// The list is short if there are many places: of 256 random indices into 1000 places a block keeps
// 16. A piece without any costs two reads of 8 bytes and a barrier. Sums are added in ascending
// order of p, in acc_t, and rounded once: the CPU's bits.
//
// Complexity: (V / 64) * (D / 32) * outer blocks read P indices each; P * D terms are added. For a
// table (50000, 64) and P = 65536 that is 10^8 comparisons of a whole warp's width, some 0.1 ms on
// an H200 (predicted, not yet run on hardware), next to 17 MB of rows.
//
// The bottleneck is latency: eight rows of the list are asked for at a time.
//
// Limits. A place that most positions name is summed by one warp alone. Every block reads the whole
// list: the reads grow as V times P. Fewer than 2^31 blocks. An index outside of the range makes
// every sum NaN.
#include <limits>

#include "kernels/gather/engines.h"
#include "kernels/gather/inside.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int lanes = 32, warps = 8, threads = lanes * warps;
constexpr int range = 64;  // places of a block
constexpr int ahead = 8;   // rows on their way at a time

template <class A>
struct IndexAddBlock {
  Tile<A, range, lanes> sums;
  Tile<int, threads> position, place;  // the list
  Tile<int, warps> counts;
};

// Block = (o * ranges + r) * column_tiles + tile.
struct IndexAddGrid {
  std::int64_t extent, inner, picks;
  int ranges, column_tiles;
};

template <class T>
__global__ void __launch_bounds__(threads)
    index_add_kernel(IndexAddGrid g, const T* x,   // (outer, picks, inner)
                     const std::int64_t* indices,  // (picks)
                     T* out) {                     // (outer, extent, inner)
  using A = acc_t<T>;
  auto& s = shared<IndexAddBlock<A>>();
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int warp = static_cast<int>(threadIdx.x) / lanes;
  const int block = static_cast<int>(blockIdx.x);
  const int row = block / g.column_tiles, o = row / g.ranges;
  const std::int64_t first = std::int64_t{row - o * g.ranges} * range;
  const std::int64_t column = std::int64_t{block - row * g.column_tiles} * lanes + lane;
  const bool has_column = column < g.inner;
  const T* rows = x + o * g.picks * g.inner + column;

  for (int v = warp; v < range; v += warps) s.sums(v, lane) = 0;
  bool outside = false;
  for (std::int64_t base = 0; base < g.picks; base += threads) {
    const std::int64_t p = base + threadIdx.x;
    const std::int64_t index = p < g.picks ? indices[p] : first;
    outside = outside || !inside(index, 0, g.extent);
    const bool mine = p < g.picks && inside(index, first, range);
    const unsigned ballot = __ballot_sync(0xffffffffu, mine);
    if (lane == 0) s.counts(warp) = __popc(ballot);
    const int count = __syncthreads_count(mine);
    if (count == 0) continue;
    if (mine) {
      int at = __popc(ballot & ((1u << lane) - 1u));
      for (int w = 0; w < warp; ++w) at += s.counts(w);
      s.position(at) = static_cast<int>(threadIdx.x);
      s.place(at) = static_cast<int>(index - first);
    }
    __syncthreads();
    for (int e = 0; e < count; e += ahead) {
      int place_of[ahead];
      A term[ahead] = {};
#pragma unroll
      for (int k = 0; k < ahead; ++k) {
        const int v = e + k < count ? s.place(e + k) : -1;
        place_of[k] = v % warps == warp ? v : -1;
        if (place_of[k] >= 0 && has_column) {
          term[k] = static_cast<A>(rows[(base + s.position(e + k)) * g.inner]);
        }
      }
#pragma unroll
      for (int k = 0; k < ahead; ++k) {
        if (place_of[k] >= 0) s.sums(place_of[k], lane) += term[k];
      }
    }
  }
  const bool poisoned = __syncthreads_or(outside);
  if (!has_column) return;
  for (int v = warp; v < range && first + v < g.extent; v += warps) {
    const A sum = poisoned ? std::numeric_limits<A>::quiet_NaN() : s.sums(v, lane);
    out[(o * g.extent + first + v) * g.inner + column] = static_cast<T>(sum);
  }
}

}  // namespace

void index_add_lists(const Picks& p, const Tensor& x, const Tensor& indices, Tensor& out) {
  const std::int64_t ranges = (p.extent + range - 1) / range;
  const std::int64_t column_tiles = (p.inner + lanes - 1) / lanes;
  const dim3 grid = grid_for("index_add", p.outer * ranges * column_tiles, 1);
  const IndexAddGrid g{p.extent, p.inner, p.picks, static_cast<int>(ranges),
                       static_cast<int>(column_tiles)};
  dispatch<float, double, bf16>(x.dtype(), "index_add", [&]<class T> {
    launch<index_add_kernel<T>>(current_stream(), grid, threads, sizeof(IndexAddBlock<acc_t<T>>), g,
                                x.device_data<T>(), indices.device_data<std::int64_t>(),
                                out.mutable_device_data<T>());
  });
}

}  // namespace imago::kernels
