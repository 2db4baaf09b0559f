// Maximum pooling, chapter 1: a thread keeps the largest of its window; a pixel asks its windows.
//
// The idea. Neighbouring channels lie side by side in memory and have windows over the same pixels,
// so a thread takes sixteen bytes of channels of one window and walks over its taps. With the
// maximum it writes down the tap that it came from, one byte: the gradient then needs no second
// look at x, whose pixels weigh sixteen times as much in f32.
//
//   forward, kernel 2, stride 2         thread = one unit of window (p, q)
//     x   . . | a b | . .
//         . . | c d | . .      y = max(a, b, c, d), tap 0, 1, 2 or 3
//
//   gradient, kernel 3, stride 2        thread = one unit of pixel (h, w)
//     windows   [ 0 . . ]               pixel 2 lies under tap 2 of window 0 and tap 0 of window 1:
//                   [ 1 . . ]           it adds dy[0] if taps[0] is 2, dy[1] if taps[1] is 0
//     pixels      0 1 2 3 4
//
// Where windows overlap the textbook gradient scatters with atomic additions, in whatever order
// threads come. Here each pixel gathers, in ascending order of windows, so bits never change, and
// no pass that clears dx is needed. The third kernel, the adjoint of the gradient, fetches from
// each window's tap.
//
// The bottleneck is memory: x, y and one byte per result forward; dy, that byte and dx backward,
// where overlapping windows are read again from the caches. Index arithmetic is about fifty
// instructions a thread, divisions are multiplications (predicted, not yet run on hardware).
//
// Limits. 2^31 - 1 threads. Channels that do not fill sixteen bytes go element by element. Large
// windows with a small stride are walked tap by tap: a running maximum along one axis would be
// cheaper.
#include "kernels/launch.h"
#include "kernels/pixel_grid.h"
#include "kernels/pool/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// The first channel of a unit of pixel (h, w) in images of these extents.
template <int lanes>
__device__ std::int64_t unit_at(const PixelGrid& grid, int image, int H, int h, int W, int w,
                                int unit) {
  return (((std::int64_t{image} * H + h) * W + w) * grid.units.value + unit) * lanes;
}

template <class T, class I, int lanes>
__global__ void __launch_bounds__(block_size)
    max_pool2d_kernel(PoolAxis rows, PoolAxis columns, PixelGrid grid,
                      const T* x,  // (N, H, W, C)
                      T* y,        // (N, P, Q, C)
                      I* taps) {   // (N, P, Q, C), or null
  using A = acc_t<T>;
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, p, q, unit] = grid.place(static_cast<int>(thread));
  const int first_r = rows.first_tap(p), first_s = columns.first_tap(q);
  const int end_r = rows.end_tap(p), end_s = columns.end_tap(q);
  const auto load = [&](int r, int s) {
    return load_as<Pack<T, lanes>>(x + unit_at<lanes>(grid, image, rows.in, rows.pixel(p, r),
                                                      columns.in, columns.pixel(q, s), unit));
  };
  Pack<T, lanes> best = load(first_r, first_s);
  Pack<I, lanes> chosen;
  for (I& tap : chosen.lane) tap = static_cast<I>(first_r * columns.kernel + first_s);
  for (int r = first_r; r < end_r; ++r) {
    for (int s = first_s; s < end_s; ++s) {
      const auto values = load(r, s);
      for (int l = 0; l < lanes; ++l) {
        const A value = static_cast<A>(values.lane[l]), most = static_cast<A>(best.lane[l]);
        if (!(value <= most) && most == most) {  // NaN wins, the first one
          best.lane[l] = values.lane[l];
          chosen.lane[l] = static_cast<I>(r * columns.kernel + s);
        }
      }
    }
  }
  store_as(y + thread * lanes, best);
  if (taps) store_as(taps + thread * lanes, chosen);
}

template <class T, class I, int lanes>
__global__ void __launch_bounds__(block_size)
    max_pool2d_grad_kernel(PoolAxis rows, PoolAxis columns, PixelGrid grid,
                           const T* dy,    // (N, P, Q, C)
                           const I* taps,  // (N, P, Q, C)
                           T* dx) {        // (N, H, W, C)
  using A = acc_t<T>;
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, h, w, unit] = grid.place(static_cast<int>(thread));
  const int end_p = rows.end_window(h), end_q = columns.end_window(w);
  A sums[lanes];
  for (A& sum : sums) sum = A(0);
  for (int p = rows.first_window(h); p < end_p; ++p) {
    const int r = rows.tap(p, h);
    if (r < 0) continue;
    for (int q = columns.first_window(w); q < end_q; ++q) {
      const int s = columns.tap(q, w);
      if (s < 0) continue;
      const std::int64_t at = unit_at<lanes>(grid, image, rows.out, p, columns.out, q, unit);
      const auto terms = load_as<Pack<T, lanes>>(dy + at);
      const auto chosen = load_as<Pack<I, lanes>>(taps + at);
      const auto tap = static_cast<I>(r * columns.kernel + s);
      for (int l = 0; l < lanes; ++l) {
        sums[l] += chosen.lane[l] == tap ? static_cast<A>(terms.lane[l]) : A(0);
      }
    }
  }
  Pack<T, lanes> result;
  for (int l = 0; l < lanes; ++l) result.lane[l] = static_cast<T>(sums[l]);
  store_as(dx + thread * lanes, result);
}

template <class T, class I, int lanes>
__global__ void __launch_bounds__(block_size)
    max_pool2d_pick_kernel(PoolAxis rows, PoolAxis columns, PixelGrid grid,
                           const T* x,     // (N, H, W, C)
                           const I* taps,  // (N, P, Q, C)
                           T* y) {         // (N, P, Q, C)
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, p, q, unit] = grid.place(static_cast<int>(thread));
  const auto chosen = load_as<Pack<I, lanes>>(taps + thread * lanes);
  Pack<T, lanes> result;
  for (int l = 0; l < lanes; ++l) {
    const int r = chosen.lane[l] / columns.kernel, s = chosen.lane[l] - r * columns.kernel;
    result.lane[l] = x[unit_at<lanes>(grid, image, rows.in, rows.pixel(p, r), columns.in,
                                      columns.pixel(q, s), unit) +
                       l];
  }
  store_as(y + thread * lanes, result);
}

// Calls run<T, I, lanes>(grid) for the dtypes of `out` and `taps` (u8 if undefined), with whole
// units where channels and the addresses in `odd` allow it. `out` is what threads are laid over.
template <class F>
void launch_over(const char* op, const Tensor& out, const Tensor& taps, std::size_t odd, F&& run) {
  const DType tap_dtype = taps.defined() ? taps.dtype() : DType::u8;
  if (taps.defined()) odd |= misalignment16(taps.device_bytes());
  dispatch<float, double, bf16>(out.dtype(), op, [&]<class T> {
    dispatch<std::uint8_t, std::int32_t>(tap_dtype, op, [&]<class I> {
      constexpr int lanes = Pack<T>::lanes;
      const bool packs = out.size(3) % lanes == 0 && odd == 0;
      const PixelGrid grid(op, out.size(0), out.size(1), out.size(2),
                           packs ? out.size(3) / lanes : out.size(3));
      if (packs) {
        run.template operator()<T, I, lanes>(grid);
      } else {
        run.template operator()<T, I, 1>(grid);
      }
    });
  });
}

}  // namespace

void max_pool2d_cuda(const Pooling& pooling, const Tensor& x, Tensor& y, Tensor& taps) {
  const char* op = "max_pool2d";
  launch_over(op, y, taps, misalignment16(x.device_bytes()),
              [&]<class T, class I, int lanes>(const PixelGrid& grid) {
                launch<max_pool2d_kernel<T, I, lanes>>(
                    current_stream(), grid_for(op, grid.count, block_size), block_size, 0,
                    pooling.rows, pooling.columns, grid, x.device_data<T>(),
                    y.mutable_device_data<T>(),
                    taps.defined() ? taps.mutable_device_data<I>() : nullptr);
              });
}

void max_pool2d_grad_cuda(const Pooling& pooling, const Tensor& dy, const Tensor& taps,
                          Tensor& dx) {
  const char* op = "max_pool2d_grad";
  launch_over(op, dx, taps, misalignment16(dy.device_bytes()),
              [&]<class T, class I, int lanes>(const PixelGrid& grid) {
                launch<max_pool2d_grad_kernel<T, I, lanes>>(
                    current_stream(), grid_for(op, grid.count, block_size), block_size, 0,
                    pooling.rows, pooling.columns, grid, dy.device_data<T>(), taps.device_data<I>(),
                    dx.mutable_device_data<T>());
              });
}

void max_pool2d_pick_cuda(const Pooling& pooling, const Tensor& x, const Tensor& taps, Tensor& y) {
  const char* op = "max_pool2d_pick";
  launch_over(op, y, taps, misalignment16(x.device_bytes()),
              [&]<class T, class I, int lanes>(const PixelGrid& grid) {
                launch<max_pool2d_pick_kernel<T, I, lanes>>(
                    current_stream(), grid_for(op, grid.count, block_size), block_size, 0,
                    pooling.rows, pooling.columns, grid, x.device_data<T>(), taps.device_data<I>(),
                    y.mutable_device_data<T>());
              });
}

}  // namespace imago::kernels
