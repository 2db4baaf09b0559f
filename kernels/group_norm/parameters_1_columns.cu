// Layer norm, chapter 2: dgamma and dbeta, sums over rows.
//
// The idea. dx walks along rows, but
//
//   dgamma[c] = sum over images n of dy[n, c] (x[n, c] - mean[n, g]) invstd[n, g],
//   dbeta[c]  = sum over images n of dy[n, c]
//
// are sums down columns, so this is the walk of kernels/reduce/sum_1_columns.cu over two tensors at
// once. What is new is that the two numbers of a row change on the way down: each thread fetches
// them for each of its rows, the same address for all threads of a row, from the L1 cache.
//
//   columns            c0 c1 c2 c3 | c4 ...
//   row 0 (m0, s0)     [   t0      ] [  t1  ]
//   row 1 (m1, s1)     [   t8      ] [  t9  ]      parts of the rows are blocks of their own, whose
//   ...                                            sums are summed by sum_1_columns.cu
//
// The bottleneck is memory: dy and x are read once, after dx has read them. Making dx and these
// sums in one pass would save that and needs a block to keep whole rows and columns at once; it is
// left out, because the tensors of a step mostly come from the L2 cache the second time.
//
// Limits. See kernels/reduce/columns.h.
#include "kernels/group_norm/engines.h"
#include "kernels/launch.h"
#include "kernels/reduce/columns.cuh"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int chunk = 4;
// Few where they are emulated, so that threads walk over several chunks of a small tensor as they
// do of a large one on a GPU.
constexpr std::int64_t blocks_wanted = device_is_emulated ? 4 : 512;

template <class A, int lanes>
struct SumsBlock {
  LaneTile<A, lanes> value;
};

// Adds one value of each thread's lanes over the part and writes the columns of the tile to `out`.
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
    norm_parameters_kernel(Columns c, bool aligned, std::int64_t groups, std::int64_t width,
                           const T* dy, const T* x,                         // (images, channels)
                           const acc_t<T>* means, const acc_t<T>* invstds,  // (images, groups)
                           acc_t<T>* of_gamma, acc_t<T>* of_beta) {         // (parts, channels)
  using A = acc_t<T>;
  auto& s = shared<SumsBlock<A, lanes>>();
  const ColumnPlace at = place_of<lanes>(c, blockIdx.x);
  A sum_gamma[lanes] = {}, sum_beta[lanes] = {};
  if (at.works) {
    std::int64_t column[lanes], group[lanes], row[lanes];  // row: within a wide row
    columns_of(c, at, column);
    for (int l = 0; l < lanes; ++l) {
      group[l] = column[l] / width;
      row[l] = (at.column + l) / c.columns;
    }
    const auto add = [&](int l, std::int64_t image, T value, T gradient) {
      const std::int64_t of_image = image * groups + group[l];
      const A g = static_cast<A>(gradient);
      const A d = static_cast<A>(value) - means[of_image];
      sum_gamma[l] = fma(g, d * invstds[of_image], sum_gamma[l]);
      sum_beta[l] += g;
    };
    const std::int64_t pitch = c.row_lanes * c.width;
    std::int64_t next = first_of(c, at), wide_row = at.row;
    for (int i = 0; i < at.count; i += chunk, next += chunk * pitch) {
      Unit<T, lanes> at_x[chunk], at_dy[chunk];
      load_rows(at_x, x + next, pitch, at.count - i, aligned);
      load_rows(at_dy, dy + next, pitch, at.count - i, aligned);
#pragma unroll
      for (int r = 0; r < chunk; ++r, wide_row += c.row_lanes) {
        if (r >= at.count - i) continue;
        for (int l = 0; l < lanes; ++l) {
          add(l, wide_row * c.fold + row[l], at_x[r].lane[l], at_dy[r].lane[l]);
        }
      }
    }
    const std::int64_t extra = extra_of(c, at);
#pragma unroll
    for (int l = 0; l < lanes; ++l) {
      if (l < at.extra) add(l, c.wide_rows * c.fold + row[l], x[extra + l], dy[extra + l]);
    }
  }
  write_sum<A, lanes>(s.value, c, at, sum_gamma, of_gamma);
  write_sum<A, lanes>(s.value, c, at, sum_beta, of_beta);
}

}  // namespace

void normalise_rows_parameters_cuda(const NormProblem& p, const Tensor& dy, const Tensor& x,
                                    const Tensor& mean, const Tensor& invstd, Tensor& dgamma,
                                    Tensor& dbeta) {
  dispatch<float, double, bf16>(x.dtype(), p.name, [&]<class T> {
    using A = acc_t<T>;
    const Columns c =
        plan_columns(1, p.images, p.channels(),
                     {.lanes = Pack<T>::lanes, .chunk = chunk, .blocks = blocks_wanted});
    Tensor of_gamma = dgamma, of_beta = dbeta;
    if (c.parts > 1) {
      of_gamma = Tensor::empty({c.parts, p.channels()}, dgamma.dtype(), x.device());
      of_beta = Tensor::empty({c.parts, p.channels()}, dbeta.dtype(), x.device());
    }
    const T *px = x.device_data<T>(), *pdy = dy.device_data<T>();
    const auto run = [&]<int lanes>() {
      const bool aligned =
          units_aligned(c, misalignment16(px) | misalignment16(pdy), Pack<T>::lanes);
      launch<norm_parameters_kernel<T, lanes>>(
          current_stream(), grid_for(p.name, c.blocks() * column_threads, column_threads),
          column_threads, sizeof(SumsBlock<A, lanes>), c, aligned, p.groups, p.width, pdy, px,
          mean.device_data<A>(), invstd.device_data<A>(), of_gamma.mutable_device_data<A>(),
          of_beta.mutable_device_data<A>());
    };
    if (c.packed) {
      run.template operator()<Pack<T>::lanes>();
    } else {
      run.template operator()<1>();
    }
    if (c.parts > 1) {
      sum_middle_cuda(of_gamma, 1, c.parts, p.channels(), dgamma);
      sum_middle_cuda(of_beta, 1, c.parts, p.channels(), dbeta);
    }
  });
}

}  // namespace imago::kernels
