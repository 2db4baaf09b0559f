// Weight gradient of a convolution, chapter 2: tiles in shared memory.
//
// What changed. Tiles in shared memory as in forward_2_tiled.cu. The product is the forward one
// with its roles changed, w = y transposed * windows: the windows' pixels are now the depth, and
// their terms are the columns,
//
//   m = k              filters                     +--------------------------+
//   n = (r, s, c)      weights of a filter         | 32 pixels x 32 terms     |  gather.cuh
//   k = (n, p, q)      pixels                      +--------------------------+
//                                  +--------------++--------------------------+
//                                  | y transposed ||     32 x 32 of w         |
//                                  +--------------++--------------------------+
//
// Threads to outputs: kernels/gemm/shared_tiles.cuh. In memory both operands run across the depth:
// y along the filters, x along the channels of a tap. A warp loads 32 neighbouring filters (terms)
// of one pixel and puts them down a column of the tile.
//
// The bottleneck. Shared memory, as in the forward chapter, where there are enough blocks: but the
// result is small and the depth is long. A first layer (K = 64, R * S * C = 48) has four blocks,
// which walk through 131,072 pixels each while the rest of the GPU looks on. Chapter 3 splits the
// depth.
//
// Limits. Those of the forward chapter. The result is T or acc_t<T>.
#include "kernels/conv2d/engines.h"
#include "kernels/conv2d/gather.cuh"
#include "kernels/conv2d/tiles.h"
#include "kernels/gemm/shared_tiles.cuh"

namespace imago::kernels {
namespace {

// y (N * P * Q, K), w (K, R * S * C)
template <class T, class Out>
__global__ void __launch_bounds__(SharedTiles::threads)
    conv2d_weight_grad_tiled_kernel(Matrix<T, 1, false> y, Gather<T> x, RowMajor<Out> w) {
  product_shared(y, TapColumns<T, 1>{x}, w, x.pixels);
}

}  // namespace

void conv2d_weight_grad_tiled(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                              Tensor& w) {
  const char* op = "conv2d_weight_grad";
  const Conv2dProblem p = as_product(problem);
  const int filters = static_cast<int>(p.K);
  const auto run = [&]<class T, class Out>() {
    const Gather<T> windows = windows_of<T>(p, x);
    const Matrix<T, 1, false> outputs{y.device_data<T>(), filters, windows.pixels, filters};
    const RowMajor<Out> out{w.mutable_device_data<Out>(), filters, windows.depth};
    launch<conv2d_weight_grad_tiled_kernel<T, Out>>(
        current_stream(), SharedTiles::grid(filters, windows.depth), SharedTiles::threads,
        sizeof(SharedTiles::Block<acc_t<T>>), outputs, windows, out);
  };
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    if (w.dtype() == x.dtype()) {
      run.template operator()<T, T>();
    } else {
      run.template operator()<T, acc_t<T>>();
    }
  });
}

}  // namespace imago::kernels
