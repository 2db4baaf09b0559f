// Input gradient of a convolution (transposed convolution), chapter 3: register tiles, by phases.
//
// What changed. The products are those of input_grad_2_tiled.cu, one for each phase, in the
// register tiles of forward_3_blocked.cu. Windows of y are read in float4 along the filters,
// weights in float4 along the channels, which are the product's columns: they need no
// transposing, 16 lanes of a warp read 256 bytes in a row, and nothing has to be packed beforehand.
//
//   blockIdx.z = phase * splits + split          a block of D2's gradient, phase (1, 0), 128 x 64:
//
//                                                     x, rows 2 i + 1, columns 2 j
//   m = (n, i, j)       +----------+                  . . . . . . . .
//   n = c               | 16 x 64  | weights          X . X . X . X .   128 pixels X, whole rows of
//   k = (t_h, t_w, k)   +----------+                  . . . . . . . .   C = 64 channels each:
//            +-----+    +----------+                  X . X . X . X .   256 bytes in a row
//            |128 y|    | 128 x 64 |
//            | 16  |    +----------+
//            +-----+
//
// For DCGAN at batch 128: D1 slim (3 of its 4 columns used), 2048 blocks; D2 tall, 1024; D3
// wide, 256; D4 tall, 256; D5, which is a product of depth 1, tall, 128.
//
// The bottleneck. As in the forward chapter; the four phases of a stride 2 have a quarter of the
// depth each (D2: 512), so that first loads and last stores, which no multiply-add hides, weigh
// more: predicted 75 per cent of the FP32 peak for D2, D3, D4, not yet run on hardware. The slim
// tile has 16 multiply-adds for 2 reads of shared memory, one of them shared by the whole warp, and
// its stores fill 12 bytes of every second pixel: chapter 4 gives the four phases of a pixel to one
// thread.
//
// Limits. Those of the forward chapter.
#include "kernels/conv2d/engines.h"
#include "kernels/conv2d/phases.cuh"
#include "kernels/conv2d/tiles.h"
#include "kernels/gemm/split_product.cuh"

namespace imago::kernels {
namespace {

// x (splits, N, H, W, C)
template <class Shape, int lanes_y, int lanes_w>
__global__ void __launch_bounds__(Shape::threads, Shape::blocks_per_sm)
    conv2d_input_grad_blocked_kernel(PhaseProblem<float> p, float* x, SplitDepth cut) {
  const auto phase = product_of_phase<float, lanes_y, lanes_w>(p, cut.batch(), x);
  product_registers<Shape>(phase.rows, phase.weights, phase.sink, phase.rows.gather.depth, cut);
}

}  // namespace

void conv2d_input_grad_blocked(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                               Tensor& x) {
  const Conv2dProblem p = as_product(problem);
  const PhaseProblem<float> phases = phases_of<float>(p, y, w);
  SplitProduct product("conv2d_input_grad",
                       {phases.most_rows(), p.C, phases.most_depth(), phases.count()},
                       {y, p.K % 4 == 0}, {w, p.C % 4 == 0}, x, p.C);
  with_tile(product.tile(), [&]<class Shape, int lanes_y, int lanes_w> {
    product.launch<Shape, conv2d_input_grad_blocked_kernel<Shape, lanes_y, lanes_w>>(phases,
                                                                                     product.out());
  });
  product.finish();
}

}  // namespace imago::kernels
