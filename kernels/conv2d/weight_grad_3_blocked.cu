// Weight gradient of a convolution, chapter 3: register tiles and a split depth.
//
// What changed. The product is that of weight_grad_2_tiled.cu, w = y transposed * windows, in the
// register tiles of forward_3_blocked.cu. Both operands run across the depth, so both are read in
// float4 and stored in float4: no transposing, no swizzle. The depth, N * P * Q pixels, is split:
//
//                 pixels: the depth
//        | part 0 | part 1 | part 2 | ... |             m = k              filters
//        +--------+--------+--------+-----+             n = (r, s, c)      weights of a filter
//   tile | block  | block  | block  |                   k = (n, p, q)      pixels
//    0,0 | z = 0  | z = 1  | z = 2  |
//        +--------+--------+--------+                   each block stores its part of the sum in a
//   tile |  ...                                         workspace (splits, K * R * S * C);
//    0,1 |                                              kernels/gemm/split_sum.cu adds the parts
//
// up in a fixed order. The number of parts is a function of the problem alone and there is no
// atomic addition, so the bits are the same on every run. tile_plan.h splits until every SM has two
// large or four small blocks. For DCGAN at batch 128:
//
//   layer   tile        tiles   parts   pixels of a part   workspace
//   D1      64 x 64       1      512        256             6.3 MB
//   D2     128 x 64      16       16       2048             8.4 MB
//   D3     128 x 64      64        4       2048             8.4 MB
//   D4     128 x 64     256        1       2048             none
//   D5      64 x 64     128        1        128             none
//
// The bottleneck. As in the forward chapter, with one difference: the depth are pixels, whose
// places take two divisions each, and a thread needs two of them a slice where the forward pass
// needs one tap. The second stage reads what the first has just written, 8 MB that are still in the
// L2: a few microseconds of the 128 that D2's arithmetic takes. Predicted 75 per cent of the FP32
// peak for D2, D3, D4, not yet run on hardware. D1 is a gather of single elements (C = 3).
//
// Limits. Those of the forward chapter.
#include "kernels/conv2d/engines.h"
#include "kernels/conv2d/gather.cuh"
#include "kernels/conv2d/tiles.h"
#include "kernels/gemm/split_product.cuh"

namespace imago::kernels {
namespace {

// y (N * P * Q, K), w (splits, K, R * S * C)
template <class Shape, int lanes_y, int lanes_x>
__global__ void __launch_bounds__(Shape::threads, Shape::blocks_per_sm)
    conv2d_weight_grad_blocked_kernel(Matrix<float, lanes_y, false> y, Gather<float> x,
                                      RowMajor<float> w, SplitDepth cut) {
  product_registers<Shape>(y, TapColumns<float, lanes_x>{x}, w, x.pixels, cut);
}

}  // namespace

void conv2d_weight_grad_blocked(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                                Tensor& w) {
  const Conv2dProblem p = as_product(problem);
  const Gather<float> windows = windows_of<float>(p, x);
  const int filters = static_cast<int>(p.K), pixels = windows.pixels, weights = windows.depth;
  SplitProduct product("conv2d_weight_grad", {p.K, weights, pixels}, {y, p.K % 4 == 0},
                       {x, p.C % 4 == 0}, w, weights);
  with_tile(product.tile(), [&]<class Shape, int lanes_y, int lanes_x> {
    product.launch<Shape, conv2d_weight_grad_blocked_kernel<Shape, lanes_y, lanes_x>>(
        Matrix<float, lanes_y, false>{y.device_data<float>(), filters, pixels, filters}, windows,
        RowMajor<float>{product.out(), filters, weights});
  });
  product.finish();
}

}  // namespace imago::kernels
