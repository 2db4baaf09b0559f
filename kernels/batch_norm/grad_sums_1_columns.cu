// Batch norm, chapter 3: the two sums that the backward pass needs of every channel.
//
// The idea. dx of one element depends on every element of its channel, but only through
//
//   S = sum dz,      D = sum dz * (x - mean),      dz = dy * act'(z),
//
// so one pass over dy and x makes the sums, and chapter 2 makes dx of them in a second one. That is
// 5 passes over tensors (4 reads, 1 write), the least without holding them on chip in between. z is
// computed again from x, which is cheaper than storing it in the forward pass and reading it here.
//
// Threads walk down columns as in kernels/reduce/columns.h, each with two sums for each of its
// channels; then:
//
//   thread     4 rows a step, products added as a tree, steps in a row (32 at most)
//   part       row lanes of the block, pairwise, in shared memory           -> (S, D) of the part
//   group      parts, 32 threads a channel, pairwise, in f64                -> coefficients of dx
//   channel    groups in order, in f64                                      -> dgamma, dbeta
//
// with    dbeta = S,   dgamma = invstd * D,   and for dx = scale * dz + (x - mean) * slope + offset
//         slope = -scale * invstd^2 * D / rows,   offset = -scale * S / rows.
//
// The bottleneck is memory: dy and x are read once, 8 loads of 16 bytes a thread under way.
//
// Limits. See kernels/reduce/columns.h.
#include "kernels/batch_norm/affine.cuh"
#include "kernels/batch_norm/engines.h"
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 4;
constexpr std::int64_t blocks_wanted = 512;  // of a group

template <class A, int lanes>
struct SumsBlock {
  LaneTile<A, lanes> value;
};

// Adds one value of each thread's lanes over the part and writes (columns of the tile) to `out`.
template <class A, int lanes>
__device__ void write_sum(LaneTile<A, lanes>& value, const Columns& c, const ColumnPlace& at,
                          const A (&sum)[lanes], A* out) {
  for (int l = 0; l < lanes; ++l) value(at.slot + l) = sum[l];
  add_row_lanes<A, lanes>(value, c, at);
  const std::int64_t tile = blockIdx.x % c.tiles;
  const std::int64_t first = blockIdx.x / c.tiles * c.columns + tile * c.tile_units * lanes;
  const int columns = result_columns<lanes>(c, tile);
  for (int j = static_cast<int>(threadIdx.x); j < columns; j += column_threads) {
    out[first + j] = folded_sum<A, lanes>(value, c, 0, j);
  }
  __syncthreads();
}

template <class T, int lanes>
__global__ void __launch_bounds__(column_threads, 2)
    batch_norm_grad_parts_kernel(Columns c, bool aligned, acc_t<T> leak, const T* dy,
                                 const T* x,                                    // (G, rows, C)
                                 const acc_t<T>* gamma, const acc_t<T>* beta,   // (C)
                                 const acc_t<T>* mean, const acc_t<T>* invstd,  // (G, C)
                                 acc_t<T>* sums_dz, acc_t<T>* sums_dz_d) {      // (G, parts, C)
  using A = acc_t<T>;
  auto& s = shared<SumsBlock<A, lanes>>();
  const ColumnPlace at = place_of<lanes>(c, blockIdx.x);
  A sum_dz[lanes] = {}, sum_dz_d[lanes] = {};
  if (at.works) {
    std::int64_t column[lanes];
    columns_of(c, at, column);
    A centre[lanes], scale[lanes], shift[lanes];
    for (int l = 0; l < lanes; ++l) {
      const std::int64_t j = column[l], of_group = at.outer * c.columns + j;
      centre[l] = mean[of_group];
      scale[l] = gamma[j] * invstd[of_group];
      shift[l] = beta[j];
    }
    const auto dz_of = [&](T value, T gradient, int l) {
      const A z = pre_activation(static_cast<A>(value), centre[l], scale[l], shift[l]);
      return gradient_before(z, static_cast<A>(gradient), leak);
    };
    const std::int64_t pitch = c.row_lanes * c.width;
    std::int64_t next = first_of(c, at);
    for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
      Unit<T, lanes> at_x[chunk], at_dy[chunk];
      load_rows(at_x, x + next, pitch, at.count - i, aligned);
      load_rows(at_dy, dy + next, pitch, at.count - i, aligned);
#pragma unroll
      for (int l = 0; l < lanes; ++l) {
        A dz[chunk], dz_d[chunk];
#pragma unroll
        for (int r = 0; r < chunk; ++r) {
          dz[r] = dz_of(at_x[r].lane[l], at_dy[r].lane[l], l);  // 0 past the last row, as dy is
          dz_d[r] = dz[r] * (static_cast<A>(at_x[r].lane[l]) - centre[l]);
        }
        sum_dz[l] += (dz[0] + dz[1]) + (dz[2] + dz[3]);
        sum_dz_d[l] += (dz_d[0] + dz_d[1]) + (dz_d[2] + dz_d[3]);
      }
    }
    const std::int64_t extra = extra_of(c, at);
#pragma unroll
    for (int l = 0; l < lanes; ++l) {
      if (l >= at.extra) continue;
      const T value = x[extra + l];
      const A dz = dz_of(value, dy[extra + l], l);
      sum_dz[l] += dz;
      sum_dz_d[l] += dz * (static_cast<A>(value) - centre[l]);
    }
  }
  write_sum<A, lanes>(s.value, c, at, sum_dz, sums_dz);
  write_sum<A, lanes>(s.value, c, at, sum_dz_d, sums_dz_d);
}

constexpr int channels_per_block = 8, threads_per_channel = 32;

struct MergeBlock {
  Tile<double, 2, threads_per_channel, channels_per_block> value;
};

template <class A>
__global__ void __launch_bounds__(channels_per_block* threads_per_channel)
    batch_norm_grad_merge_kernel(std::int64_t groups, std::int64_t parts, std::int64_t channels,
                                 std::int64_t rows, const A* sums_dz,
                                 const A* sums_dz_d,               // (G, parts, C)
                                 const A* gamma, const A* invstd,  // (C), (G, C)
                                 A* dx_slope, A* dx_offset,        // (G, C)
                                 A* dgamma, A* dbeta) {            // (C)
  auto& s = shared<MergeBlock>();
  const int lane = static_cast<int>(threadIdx.x) / channels_per_block;
  const int i = static_cast<int>(threadIdx.x) % channels_per_block;
  const std::int64_t channel = std::int64_t{blockIdx.x} * channels_per_block + i;
  const bool works = channel < channels;
  double of_gamma = 0, of_beta = 0;
  for (std::int64_t group = 0; group < groups; ++group) {
    double sum_dz = 0, sum_dz_d = 0;
    for (std::int64_t part = lane; works && part < parts; part += threads_per_channel) {
      const std::int64_t at = (group * parts + part) * channels + channel;
      sum_dz += static_cast<double>(sums_dz[at]);
      sum_dz_d += static_cast<double>(sums_dz_d[at]);
    }
    s.value(0, lane, i) = sum_dz;
    s.value(1, lane, i) = sum_dz_d;
    for (int half = threads_per_channel / 2; half >= 1; half /= 2) {
      __syncthreads();
      if (lane < half) {
        s.value(0, lane, i) += s.value(0, lane + half, i);
        s.value(1, lane, i) += s.value(1, lane + half, i);
      }
    }
    if (works && lane == 0) {
      sum_dz = s.value(0, 0, i);
      sum_dz_d = s.value(1, 0, i);
      const std::int64_t at = group * channels + channel;
      const double inverse = static_cast<double>(invstd[at]);
      const double scale = static_cast<double>(gamma[channel] * invstd[at]);
      dx_slope[at] =
          static_cast<A>(-scale * inverse * inverse * sum_dz_d / static_cast<double>(rows));
      dx_offset[at] = static_cast<A>(-scale * sum_dz / static_cast<double>(rows));
      of_gamma += inverse * sum_dz_d;
      of_beta += sum_dz;
    }
    __syncthreads();
  }
  if (!works || lane != 0) return;
  dgamma[channel] = static_cast<A>(of_gamma);
  dbeta[channel] = static_cast<A>(of_beta);
}

}  // namespace

Tensor batch_norm_grad_parts_cuda(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                                  const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                                  const Tensor& invstd, double slope) {
  const char* op = "batch_norm_grad";
  Tensor sums;
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    using A = acc_t<T>;
    // Planned for one group, so that dx has the bits the group would have alone.
    Columns c = plan_columns(1, p.rows, p.channels,
                             {.lanes = Pack<T>::lanes, .chunk = chunk, .blocks = blocks_wanted});
    c.outer = p.groups;
    sums = Tensor::empty({2, p.groups, c.parts, p.channels}, mean.dtype(), x.device());
    A* sums_dz = sums.mutable_device_data<A>();
    A* sums_dz_d = sums_dz + p.groups * c.parts * p.channels;
    const T* px = x.device_data<T>();
    const T* pdy = dy.device_data<T>();
    const auto run = [&]<int lanes>() {
      const bool aligned =
          units_aligned(c, misalignment16(px) | misalignment16(pdy), Pack<T>::lanes);
      launch<batch_norm_grad_parts_kernel<T, lanes>>(
          current_stream(), grid_for(op, c.blocks() * column_threads, column_threads),
          column_threads, sizeof(SumsBlock<A, lanes>), c, aligned, static_cast<A>(slope), pdy, px,
          gamma.device_data<A>(), beta.device_data<A>(), mean.device_data<A>(),
          invstd.device_data<A>(), sums_dz, sums_dz_d);
    };
    if (c.packed) {
      run.template operator()<Pack<T>::lanes>();
    } else {
      run.template operator()<1>();
    }
  });
  return sums;
}

void batch_norm_grad_cuda(const BatchNormProblem& p, const Tensor& dy, const Tensor& x,
                          const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                          const Tensor& invstd, double slope, BatchNormGrads& out) {
  const char* op = "batch_norm_grad";
  const Tensor sums = batch_norm_grad_parts_cuda(p, dy, x, gamma, beta, mean, invstd, slope);
  Tensor coefficients = Tensor::empty({2, p.groups, p.channels}, mean.dtype(), x.device());
  dispatch<float, double>(mean.dtype(), op, [&]<class A> {
    const std::int64_t parts = sums.size(2),
                       blocks = (p.channels + channels_per_block - 1) / channels_per_block;
    constexpr int threads = channels_per_block * threads_per_channel;
    const A* sums_dz = sums.device_data<A>();
    A* dx_slope = coefficients.mutable_device_data<A>();
    launch<batch_norm_grad_merge_kernel<A>>(
        current_stream(), grid_for(op, blocks * threads, threads), threads, sizeof(MergeBlock),
        p.groups, parts, p.channels, p.rows, sums_dz, sums_dz + p.groups * parts * p.channels,
        gamma.device_data<A>(), invstd.device_data<A>(), dx_slope, dx_slope + p.groups * p.channels,
        out.dgamma.mutable_device_data<A>(), out.dbeta.mutable_device_data<A>());
  });
  batch_norm_grad_apply_cuda(p, dy, x, gamma, beta, mean, invstd, coefficients, slope, out.dx);
}

}  // namespace imago::kernels
