// Convolution, chapter 3: register tiles.
//
// What changed. The product is that of forward_2_tiled.cu, y = windows * filters. Chapter 2 spent
// its time asking shared memory, so every thread now owns an 8 x 8 tile of outputs in its registers
// and asks for 8 + 8 numbers, in four float4 reads, for 64 multiply-adds: 16 to a read, where
// chapter 2 had 0.8. Global memory is read in float4 too, four channels of a tap at once, and while
// a slice is multiplied the next one is on its way (kernels/gemm/register_tiles.cuh: the loop, the
// map of threads to outputs and the swizzle that keeps the transposing stores off each other's
// banks).
//
//   m = (n, p, q)   +-----------+        a block: 128 pixels x 128 filters and 8 terms a slice, or
//   n = k           |  8 x 128  |        128 x 64 and 16 terms
//   k = (r, s, c)   +-----------+        float4 along c needs C to be a multiple of 4 and aligned
//        +-----+    +-----------+        tensors; else TileKind::scalar loads one by one
//        |128 x|    | 128 x 128 |
//        |  8  |    |  of y     |        few blocks: the depth is split, the parts are added up by
//        +-----+    +-----------+        kernels/gemm/split_sum.cu (no atomics, a fixed order)
//
// kernels/gemm/tile_plan.h chooses tile and splits. For DCGAN at batch 128: D1 scalar, 2048 blocks;
// D2 wide, 256; D3 tall, 256; D4 tall x 2 splits, 256; D5 slim x 64 splits, 64.
//
// The bottleneck. A warp's 64 multiply-adds a depth take an SM's four schedulers 16 cycles; its 4
// shared reads take 4 to 16, and the loads, places and bounds of a slice are some 40 to 80
// instructions against 512 (1024) multiply-adds: predicted 80 per cent of the FP32 peak where the
// grid fills the GPU, not yet run on hardware. What is left is the FP32 units themselves: tensor
// cores (chapter 5) multiply an order of magnitude faster. D1 (C = 3) reads one element at a time,
// each with its own bounds, 8 for 512 multiply-adds: predicted 40 per cent; chapter 4 stages its
// patch in shared memory instead.
//
// Limits. f32, groups = dilation = 1, tensors below 2^30 elements.
#include "kernels/conv2d/engines.h"
#include "kernels/conv2d/gather.cuh"
#include "kernels/conv2d/tiles.h"
#include "kernels/gemm/split_product.cuh"

namespace imago::kernels {
namespace {

// w (K, R * S * C), y (splits, N * P * Q, K)
template <class Shape, int lanes_x, int lanes_w>
__global__ void __launch_bounds__(Shape::threads, Shape::blocks_per_sm)
    conv2d_blocked_kernel(Gather<float> x, Matrix<float, lanes_w, true> w, RowMajor<float> y,
                          SplitDepth cut) {
  product_registers<Shape>(PixelRows<float, lanes_x>{x}, w, y, x.depth, cut);
}

}  // namespace

void conv2d_blocked(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& y) {
  const Conv2dProblem p = as_product(problem);
  const Gather<float> windows = windows_of<float>(p, x);
  const int filters = static_cast<int>(p.K), depth = windows.depth;
  const bool vectors_x = p.C % 4 == 0, vectors_w = depth % 4 == 0;
  SplitProduct product("conv2d", {windows.pixels, p.K, depth}, {x, vectors_x}, {w, vectors_w}, y,
                       p.K);
  with_tile(product.tile(), [&]<class Shape, int lanes_x, int lanes_w> {
    product.launch<Shape, conv2d_blocked_kernel<Shape, lanes_x, lanes_w>>(
        windows, Matrix<float, lanes_w, true>{w.device_data<float>(), filters, depth, depth},
        RowMajor<float>{product.out(), windows.pixels, filters});
  });
  product.finish();
}

}  // namespace imago::kernels
