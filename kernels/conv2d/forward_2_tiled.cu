// Convolution, chapter 2: tiles in shared memory.
//
// What changed. In chapter 1 every multiply-add loaded both its operands. But 32 pixels times 32
// filters are 1024 outputs that need 32 windows and 32 filters between them: a block of threads
// loads these once, a slice of 32 terms at a time, into shared memory, and every element serves 32
// outputs.
//
// Seen that way a convolution is a matrix product, y = windows * filters, with
//
//   m = (n, p, q)        pixels                       w (K, R * S * C), read as it lies: lines
//   n = k                filters                                        along the depth
//   k = (r, s, c)        terms                        +-----------------+
//                                                     | 32 x 32 filters |
//   the windows exist nowhere: gather.cuh    +-------++-----------------+
//   computes where an element of them lies   |windows||  32 x 32 of y   |  block (m / 32, n / 32)
//   in x, and reads 0 in the padding         +-------++-----------------+
//
// Threads to outputs, and to loads: kernels/gemm/shared_tiles.cuh, which has the loop. Both
// operands run along the depth in memory, c fastest, so that a warp loads 32 neighbouring terms of
// one row: with C >= 32 that is 128 bytes in a row.
//
// The bottleneck. From 2 loads a multiply-add out of the caches to 1/16; but now shared memory is
// asked 5 times for 4 multiply-adds, and it answers one warp a cycle while the arithmetic could
// take four: 1 / (4 * 5/4) = 20 per cent of the peak at best. Nor does anything happen while a
// slice is on its way. Chapter 3 keeps an 8 x 8 tile in every thread's registers and loads ahead.
//
// Limits. groups = dilation = 1; f32, f64, bf16 with sums in acc_t; tensors below 2^30 elements.
// Few pixels with a long depth make few blocks (batch 128 of a discriminator's last layer: four).
#include "kernels/conv2d/engines.h"
#include "kernels/conv2d/gather.cuh"
#include "kernels/conv2d/tiles.h"
#include "kernels/gemm/shared_tiles.cuh"

namespace imago::kernels {
namespace {

// w (K, R * S * C), y (N * P * Q, K)
template <class T>
__global__ void __launch_bounds__(SharedTiles::threads)
    conv2d_tiled_kernel(Gather<T> x, Matrix<T, 1, true> w, RowMajor<T> y) {
  product_shared(PixelRows<T, 1>{x}, w, y, x.depth);
}

}  // namespace

void conv2d_tiled(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& y) {
  const char* op = "conv2d";
  const Conv2dProblem p = as_product(problem);
  const int filters = static_cast<int>(p.K);
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    const Gather<T> windows = windows_of<T>(p, x);
    const Matrix<T, 1, true> weights{w.device_data<T>(), filters, windows.depth, windows.depth};
    const RowMajor<T> out{y.mutable_device_data<T>(), windows.pixels, filters};
    launch<conv2d_tiled_kernel<T>>(current_stream(), SharedTiles::grid(windows.pixels, filters),
                                   SharedTiles::threads, sizeof(SharedTiles::Block<acc_t<T>>),
                                   windows, weights, out);
  });
}

}  // namespace imago::kernels
