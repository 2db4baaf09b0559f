// Bilinear resampling and every adjoint, chapter 1: tables of weights, then a thread gathers.
//
// The idea. Forward and adjoint are one computation (kernels/resample/engines.h): along an axis, a
// place of the result sums a range of neighbouring places of the source, each times its weight. The
// axes are apart from each other, so a pixel is the sum over its columns and rows of two weights
// times a value.
//
//   doubling a row, weights in quarters            its adjoint: the columns of that table
//
//     source    a     b     c                        dx_b = 1 dy1 + 3 dy2 + 3 dy3 + 1 dy4
//     result  a  3a+b a+3b 3b+c b+3c  c              (quarters)
//     place   0   1    2    3    4    5
//
// A first kernel works out ranges and weights, a thread for each row and each column of the result:
// whole-number arithmetic with 64-bit divisions (kernels/resample/weights.h), too dear to repeat in
// every pixel. The second kernel is laid over the result, a thread a unit of sixteen bytes of
// channels; it reads its ranges and weights, the same for all threads of a warp or nearly so, and
// then whole units of the source. Nobody scatters: the adjoint of shrinking and of doubling alike
// is a gather.
//
//   thread ((n * H + h) * W + w) * units + u     sum over k of across[w][k] *
//                                                (sum over l of down[h][l] * x[n, l, k, u])
//
// The bottleneck, where the size changes by about two, is memory: each source line is read from
// memory once and from the caches four times. A thread has some 90 instructions for doubling
// f32, 150 in bf16, where issuing them may take as long as the memory does (predicted, not yet run
// on hardware).
//
// Limits. 2^31 - 1 threads. Channels that do not fill sixteen bytes go element by element.
// Shrinking by a large factor walks its whole window in one thread; two passes would have fewer
// terms.
#include "kernels/launch.h"
#include "kernels/pixel_grid.h"
#include "kernels/resample/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// Of one axis: place i sums the sources ranges[2 i] and the following, ranges[2 i + 1] of them,
// with the weights from most * i on.
template <class A>
struct Table {
  int* ranges;
  A* weights;
  int most;
};

template <class A>
__global__ void __launch_bounds__(block_size)
    weights_kernel(AxisGather rows, AxisGather columns, Table<A> down, Table<A> across) {
  const std::int64_t thread = global_thread();
  const std::int64_t heights = rows.results();
  if (thread >= heights + columns.results()) return;
  const bool is_row = thread < heights;
  const AxisGather gather = is_row ? rows : columns;
  const Table<A> table = is_row ? down : across;
  const std::int64_t place = is_row ? thread : thread - heights;
  const PlaceRange range = gather.range(place);
  table.ranges[2 * place] = static_cast<int>(range.begin);
  table.ranges[2 * place + 1] = static_cast<int>(range.end - range.begin);
  A* weights = table.weights + place * table.most;
  for (std::int64_t source = range.begin; source < range.end; ++source) {
    weights[source - range.begin] = gather.weight<A>(place, source);
  }
}

template <class T, int lanes>
__global__ void __launch_bounds__(block_size)
    resample_kernel(Table<acc_t<T>> down, Table<acc_t<T>> across, PixelGrid grid, int H, int W,
                    const T* x,  // (N, H, W, C)
                    T* out) {    // (N, height, width, C)
  using A = acc_t<T>;
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, h, w, unit] = grid.place(static_cast<int>(thread));
  const int rows = down.ranges[2 * h + 1], columns = across.ranges[2 * w + 1];
  const std::int64_t pixel =
      (std::int64_t{image} * H + down.ranges[2 * h]) * W + across.ranges[2 * w];
  const A* row_weights = down.weights + std::int64_t{h} * down.most;
  const A* column_weights = across.weights + std::int64_t{w} * across.most;
  const std::int64_t channels = std::int64_t{grid.units.value} * lanes;
  A sums[lanes];
  for (A& sum : sums) sum = A(0);
#pragma unroll 2
  for (int k = 0; k < columns; ++k) {
    const T* first = x + (pixel + k) * channels + unit * lanes;
    A column[lanes];
    for (A& sum : column) sum = A(0);
#pragma unroll 2
    for (int l = 0; l < rows; ++l) {
      const auto values = load_as<Pack<T, lanes>>(first + std::int64_t{l} * W * channels);
      for (int i = 0; i < lanes; ++i) {
        const A term = row_weights[l] * static_cast<A>(values.lane[i]);
        column[i] = l == 0 ? term : column[i] + term;
      }
    }
    for (int i = 0; i < lanes; ++i) {
      const A term = column_weights[k] * column[i];
      sums[i] = k == 0 ? term : sums[i] + term;
    }
  }
  Pack<T, lanes> result;
  for (int i = 0; i < lanes; ++i) result.lane[i] = static_cast<T>(sums[i]);
  store_as(out + thread * lanes, result);
}

}  // namespace

void resample_cuda(const char* op, const AxisGather& rows, const AxisGather& columns,
                   const Tensor& x, Tensor& out) {
  const std::int64_t height = rows.results(), width = columns.results();
  Tensor ranges = Tensor::empty({height + width, 2}, DType::i32, x.device());
  Tensor weights = Tensor::empty({height * rows.most() + width * columns.most()},
                                 acc_dtype(x.dtype()), x.device());
  int* first_range = ranges.mutable_device_data<std::int32_t>();
  const auto run = [&]<class T, int lanes>() {
    using A = acc_t<T>;
    A* first_weight = weights.mutable_device_data<A>();
    const Table<A> down{first_range, first_weight, static_cast<int>(rows.most())};
    const Table<A> across{first_range + 2 * height, first_weight + height * rows.most(),
                          static_cast<int>(columns.most())};
    launch<weights_kernel<A>>(current_stream(), grid_for(op, height + width, block_size),
                              block_size, 0, rows, columns, down, across);
    const PixelGrid grid(op, out.size(0), height, width, out.size(3) / lanes);
    launch<resample_kernel<T, lanes>>(current_stream(), grid_for(op, grid.count, block_size),
                                      block_size, 0, down, across, grid,
                                      static_cast<int>(x.size(1)), static_cast<int>(x.size(2)),
                                      x.device_data<T>(), out.mutable_device_data<T>());
  };
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const bool packs = out.size(3) % lanes == 0 && misalignment16(x.device_bytes()) == 0;
    if (packs) {
      run.template operator()<T, lanes>();
    } else {
      run.template operator()<T, 1>();
    }
  });
}

}  // namespace imago::kernels
