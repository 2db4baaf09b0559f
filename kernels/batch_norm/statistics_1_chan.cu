// Batch norm, chapter 1: mean and variance of every channel in one pass.
//
// The idea. x is a matrix of rows and C channels, and each channel wants the moments of its column:
// the walk of kernels/reduce/columns.h, where threads side by side read 16 bytes side by side.
// Sums of x and x^2 would be the least arithmetic, and useless: where the mean is large against the
// spread, E[x^2] - E[x]^2 loses every digit. So a pair (mean, M2 = sum of squared deviations) is
// made of data that is at hand, and pairs are merged (Chan, Golub & LeVeque 1983):
//
//   mean = sum n_i mean_i / n,     M2 = sum (M2_i + n_i (mean_i - mean)^2).
//
//   rows         8 rows a thread   a thread's rows        a block's part        a group
//   held in      registers         registers              shared memory         L2
//   merged by    two looks         pairwise, in order     tree over row lanes   second kernel, f64
//
//   row 0..7    [ chunk ]--.
//   row 8..15   [ chunk ]---+-> thread --.
//   ...         [ chunk ]--'  [ thread ]--+-> part --.
//                             [ thread ]-'  [ part ]--+-> (mean, var, invstd) of the channel
//
// All deviations are taken from row 0 of the group: close to the mean when the spread is small
// against it, so that f32 holds the small numbers and not the large one they sit on.
//
// The bottleneck is memory: x is read once, 8 loads of 16 bytes a thread under way at a time, two
// blocks on an SM (87 registers a thread in f32, 128 in bf16). The second kernel reads a pair for
// each channel and part and works on 8 channels a block, 32 threads on each; it is all latency, a
// few microseconds (predicted, not yet run on hardware).
//
// Limits. See kernels/reduce/columns.h; an odd number of channels above 128 is loaded one by one.
#include <cmath>

#include "kernels/batch_norm/engines.h"
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 8;
constexpr std::int64_t blocks_wanted = 512;  // of a group: about four for each SM of a large GPU

// Moments of the rows of one thread, as deviations from `origin`.
template <class A, int lanes>
struct Moments {
  A count, mean[lanes], squares[lanes];
};

template <class T, class A, int lanes>
__device__ void merge_chunk(const Unit<T, lanes> (&unit)[chunk], int rows, const A (&origin)[lanes],
                            Moments<A, lanes>& m) {
  const A fresh = static_cast<A>(rows), total = m.count + fresh;
  const A inverse = 1 / fresh, share = fresh / total, weight = m.count * share;
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    A d[chunk], sum = 0, squares = 0;
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      d[r] = static_cast<A>(unit[r].lane[l]) - origin[l];
      if (r < rows) sum += d[r];
    }
    const A mean = sum * inverse;
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      const A e = d[r] - mean;
      if (r < rows) squares = fma(e, e, squares);
    }
    const A delta = mean - m.mean[l];
    m.mean[l] = fma(delta, share, m.mean[l]);
    m.squares[l] += fma(delta * delta, weight, squares);
  }
  m.count = total;
}

template <class A, int lanes>
struct StatisticsBlock {
  LaneTile<A, lanes> value, mean;
};

template <class T, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    batch_norm_parts_kernel(Columns c, bool aligned,
                            const T* x,           // (G, rows, C)
                            acc_t<T>* means,      // (G, parts, C), less row 0 of the group
                            acc_t<T>* squares) {  // (G, parts, C)
  using A = acc_t<T>;
  auto& s = shared<StatisticsBlock<A, lanes>>();
  const ColumnPlace at = place_of<lanes>(c, blockIdx.x);
  std::int64_t column[lanes] = {};
  A origin[lanes] = {};
  if (at.works) {
    columns_of(c, at, column);
    for (int l = 0; l < lanes; ++l) {
      origin[l] = static_cast<A>(x[at.outer * c.rows * c.columns + column[l]]);
    }
  }
  Moments<A, lanes> m = {};
  const std::int64_t pitch = c.row_lanes * c.width;
  const T* next = x + first_of(c, at);
  for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
    Unit<T, lanes> unit[chunk];
    const int rows = at.count - i;
    load_rows(unit, next, pitch, rows, aligned);
    if (rows >= chunk) {
      merge_chunk(unit, chunk, origin, m);
    } else {
      merge_chunk(unit, rows, origin, m);
    }
  }
  A count[lanes];
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    count[l] = m.count;
    if (l < at.extra) {
      const A d = static_cast<A>(x[extra_of(c, at) + l]) - origin[l], delta = d - m.mean[l];
      count[l] += 1;
      m.mean[l] += delta / count[l];
      m.squares[l] = fma(delta * delta, m.count / count[l], m.squares[l]);
    }
  }

  // The part's mean, then the deviations of its threads from that.
  const std::int64_t tile = blockIdx.x % c.tiles;
  const int columns = result_columns<lanes>(c, tile);
  const std::int64_t first = tile * c.tile_units * lanes;
  std::int64_t rows = c.part_rows * c.fold;
  if (at.part == c.parts - 1) rows = c.rows - at.part * rows;
  for (int l = 0; l < lanes; ++l) s.value(at.slot + l) = count[l] * m.mean[l];
  add_row_lanes<A, lanes>(s.value, c, at);
  for (int j = static_cast<int>(threadIdx.x); j < columns; j += column_threads) {
    s.mean(j) = folded_sum<A, lanes>(s.value, c, 0, j) / static_cast<A>(rows);
  }
  __syncthreads();
  for (int l = 0; l < lanes; ++l) {
    A deviation = 0;
    if (at.works)
      deviation = m.mean[l] - s.mean(static_cast<int>(column[l] - (c.fold > 1 ? 0 : first)));
    s.value(at.slot + l) = fma(count[l] * deviation, deviation, m.squares[l]);
  }
  add_row_lanes<A, lanes>(s.value, c, at);
  const std::int64_t target = (blockIdx.x / c.tiles) * c.columns + first;
  for (int j = static_cast<int>(threadIdx.x); j < columns; j += column_threads) {
    means[target + j] = s.mean(j);
    squares[target + j] = folded_sum<A, lanes>(s.value, c, 0, j);
  }
}

constexpr int channels_per_block = 8, threads_per_channel = 32;

struct MergeBlock {
  Tile<double, threads_per_channel, channels_per_block> value;
};

// The sum over the threads of a channel, pairwise, for all of them. Ends with a barrier.
__device__ double sum_of_channel(MergeBlock& s, int lane, int channel, double value) {
  s.value(lane, channel) = value;
  for (int half = threads_per_channel / 2; half >= 1; half /= 2) {
    __syncthreads();
    if (lane < half) s.value(lane, channel) += s.value(lane + half, channel);
  }
  __syncthreads();
  const double sum = s.value(0, channel);
  __syncthreads();
  return sum;
}

template <class T>
__global__ void __launch_bounds__(channels_per_block* threads_per_channel)
    batch_norm_merge_kernel(Columns c, double eps,
                            const T* x,               // (G, rows, C), of which row 0 is read
                            const acc_t<T>* means,    // (G, parts, C)
                            const acc_t<T>* squares,  // (G, parts, C)
                            acc_t<T>* mean, acc_t<T>* invstd, acc_t<T>* var) {  // (G, C)
  using A = acc_t<T>;
  auto& s = shared<MergeBlock>();
  const int lane = static_cast<int>(threadIdx.x) / channels_per_block;
  const int channel = static_cast<int>(threadIdx.x) % channels_per_block;
  const std::int64_t blocks = (c.columns + channels_per_block - 1) / channels_per_block;
  const std::int64_t group = blockIdx.x / blocks;
  const std::int64_t column = blockIdx.x % blocks * channels_per_block + channel;
  const bool works = column < c.columns;
  const auto rows_of = [&](std::int64_t part) {
    const std::int64_t full = c.part_rows * c.fold;
    return static_cast<double>(part < c.parts - 1 ? full : c.rows - part * full);
  };
  const std::int64_t first = group * c.parts * c.columns + column;

  double sum = 0;
  for (std::int64_t part = lane; works && part < c.parts; part += threads_per_channel) {
    sum += rows_of(part) * static_cast<double>(means[first + part * c.columns]);
  }
  const double rows = static_cast<double>(c.rows);
  const double centre = sum_of_channel(s, lane, channel, sum) / rows;
  sum = 0;
  for (std::int64_t part = lane; works && part < c.parts; part += threads_per_channel) {
    const double d = static_cast<double>(means[first + part * c.columns]) - centre;
    sum += static_cast<double>(squares[first + part * c.columns]) + rows_of(part) * d * d;
  }
  const double variance = sum_of_channel(s, lane, channel, sum) / rows;
  if (!works || lane != 0) return;
  const double origin = static_cast<double>(x[group * c.rows * c.columns + column]);
  const std::int64_t out = group * c.columns + column;
  mean[out] = static_cast<A>(origin + centre);
  var[out] = static_cast<A>(variance);
  invstd[out] = static_cast<A>(1.0 / sqrt(variance + eps));
}

}  // namespace

void batch_norm_statistics_cuda(const BatchNormProblem& p, const Tensor& x, double eps,
                                Tensor& mean, Tensor& invstd, Tensor& var) {
  const char* op = "batch_norm";
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    using A = acc_t<T>;
    // Planned for one group, so that its statistics have the bits it would have alone.
    Columns c = plan_columns(1, p.rows, p.channels,
                             {.lanes = Pack<T>::lanes, .chunk = chunk, .blocks = blocks_wanted});
    c.outer = p.groups;
    Tensor parts = Tensor::empty({2, p.groups, c.parts, p.channels}, mean.dtype(), x.device());
    const T* px = x.device_data<T>();
    A* means = parts.mutable_device_data<A>();
    A* squares = means + p.groups * c.parts * p.channels;
    const auto run = [&]<int lanes>() {
      const bool aligned = units_aligned(c, misalignment16(px), Pack<T>::lanes);
      launch<batch_norm_parts_kernel<T, lanes>>(
          current_stream(), grid_for(op, c.blocks() * column_threads, column_threads),
          column_threads, sizeof(StatisticsBlock<A, lanes>), c, aligned, px, means, squares);
    };
    if (c.packed) {
      run.template operator()<Pack<T>::lanes>();
    } else {
      run.template operator()<1>();
    }
    constexpr int threads = channels_per_block * threads_per_channel;
    const std::int64_t blocks =
        p.groups * ((p.channels + channels_per_block - 1) / channels_per_block);
    launch<batch_norm_merge_kernel<T>>(
        current_stream(), grid_for(op, blocks * threads, threads), threads, sizeof(MergeBlock), c,
        eps, px, means, squares, mean.mutable_device_data<A>(), invstd.mutable_device_data<A>(),
        var.mutable_device_data<A>());
  });
}

}  // namespace imago::kernels
