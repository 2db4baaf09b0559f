// Average pooling, chapter 1: a thread sums its window; a pixel asks its windows.
//
// The idea is that of max_1_windows.cu: a thread takes sixteen bytes of channels of one window,
// adds up the pixels under its taps in f32, multiplies by the reciprocal of their number and writes
// one unit. In the gradient a thread takes a pixel and adds up the dy of the windows that saw it,
// each times its own reciprocal: with padding that does not count, windows at the border are means
// of fewer pixels.
//
//   forward, kernel 2, stride 2         thread = one unit of window (p, q)
//     x   . . | a b | . .
//         . . | c d | . .               y = (a + b + c + d) * (1 / 4)
//
//   gradient, kernel 3, stride 2        thread = one unit of pixel (h, w)
//     windows   [ 0 . . ]               along an axis pixel 2 lies in windows 0 and 1:
//                   [ 1 . . ]             dx = dy[0] * share(0) + dy[1] * share(1)
//     pixels      0 1 2 3 4
//
// Sums run in one order, so that results are the CPU's bits.
//
// The bottleneck is memory: x and y once forward, dy and dx once backward. A reciprocal is one
// division, about ten instructions for each window of a thread; index arithmetic is some fifty
// (predicted, not yet run on hardware).
//
// Limits. 2^31 - 1 threads. Channels that do not fill sixteen bytes go element by element. Large
// windows are walked pixel by pixel: a mean over the whole image is better made by sum_to.
#include "kernels/launch.h"
#include "kernels/pixel_grid.h"
#include "kernels/pool/engines.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

template <class T, int lanes>
__global__ void __launch_bounds__(block_size) avg_pool2d_kernel(Pooling pooling, PixelGrid grid,
                                                                const T* x,  // (N, H, W, C)
                                                                T* y) {      // (N, P, Q, C)
  using A = acc_t<T>;
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, p, q, unit] = grid.place(static_cast<int>(thread));
  const PoolAxis &rows = pooling.rows, &columns = pooling.columns;
  const int end_r = rows.end_tap(p), end_s = columns.end_tap(q);
  A sums[lanes];
  for (A& sum : sums) sum = A(0);
  for (int r = rows.first_tap(p); r < end_r; ++r) {
    const std::int64_t row = std::int64_t{image} * rows.in + rows.pixel(p, r);
    for (int s = columns.first_tap(q); s < end_s; ++s) {
      const std::int64_t pixel = row * columns.in + columns.pixel(q, s);
      const auto terms = load_as<Pack<T, lanes>>(x + (pixel * grid.units.value + unit) * lanes);
      for (int l = 0; l < lanes; ++l) sums[l] += static_cast<A>(terms.lane[l]);
    }
  }
  const A share = A(1) / static_cast<A>(pooling.pixels(p, q));
  Pack<T, lanes> result;
  for (int l = 0; l < lanes; ++l) result.lane[l] = static_cast<T>(sums[l] * share);
  store_as(y + thread * lanes, result);
}

template <class T, int lanes>
__global__ void __launch_bounds__(block_size)
    avg_pool2d_grad_kernel(Pooling pooling, PixelGrid grid,
                           const T* dy,  // (N, P, Q, C)
                           T* dx) {      // (N, H, W, C)
  using A = acc_t<T>;
  const std::int64_t thread = global_thread();
  if (thread >= grid.count) return;
  const auto [image, h, w, unit] = grid.place(static_cast<int>(thread));
  const PoolAxis &rows = pooling.rows, &columns = pooling.columns;
  const int end_p = rows.end_window(h), end_q = columns.end_window(w);
  A sums[lanes];
  for (A& sum : sums) sum = A(0);
  for (int p = rows.first_window(h); p < end_p; ++p) {
    if (rows.tap(p, h) < 0) continue;
    const std::int64_t row = std::int64_t{image} * rows.out + p;
    for (int q = columns.first_window(w); q < end_q; ++q) {
      if (columns.tap(q, w) < 0) continue;
      const A share = A(1) / static_cast<A>(pooling.pixels(p, q));
      const std::int64_t window = row * columns.out + q;
      const auto terms = load_as<Pack<T, lanes>>(dy + (window * grid.units.value + unit) * lanes);
      for (int l = 0; l < lanes; ++l) sums[l] += static_cast<A>(terms.lane[l]) * share;
    }
  }
  Pack<T, lanes> result;
  for (int l = 0; l < lanes; ++l) result.lane[l] = static_cast<T>(sums[l]);
  store_as(dx + thread * lanes, result);
}

// Calls run<T, lanes>(grid) with whole units where channels and addresses allow it.
template <class F>
void launch_over(const char* op, const Tensor& from, const Tensor& out, F&& run) {
  dispatch<float, double, bf16>(out.dtype(), op, [&]<class T> {
    constexpr int lanes = Pack<T>::lanes;
    const bool packs = out.size(3) % lanes == 0 && misalignment16(from.device_bytes()) == 0;
    const PixelGrid grid(op, out.size(0), out.size(1), out.size(2),
                         packs ? out.size(3) / lanes : out.size(3));
    if (packs) {
      run.template operator()<T, lanes>(grid);
    } else {
      run.template operator()<T, 1>(grid);
    }
  });
}

}  // namespace

void avg_pool2d_cuda(const Pooling& pooling, const Tensor& x, Tensor& y) {
  const char* op = "avg_pool2d";
  launch_over(op, x, y, [&]<class T, int lanes>(const PixelGrid& grid) {
    launch<avg_pool2d_kernel<T, lanes>>(current_stream(), grid_for(op, grid.count, block_size),
                                        block_size, 0, pooling, grid, x.device_data<T>(),
                                        y.mutable_device_data<T>());
  });
}

void avg_pool2d_grad_cuda(const Pooling& pooling, const Tensor& dy, Tensor& dx) {
  const char* op = "avg_pool2d_grad";
  launch_over(op, dy, dx, [&]<class T, int lanes>(const PixelGrid& grid) {
    launch<avg_pool2d_grad_kernel<T, lanes>>(current_stream(), grid_for(op, grid.count, block_size),
                                             block_size, 0, pooling, grid, dy.device_data<T>(),
                                             dx.mutable_device_data<T>());
  });
}

}  // namespace imago::kernels
