// Matrix product, chapter 3: register tiles.
//
// What changed. Chapter 2 spent its time asking shared memory. Here a thread owns an 8 x 8 tile of
// c in registers and asks for 8 + 8 numbers, in four float4 reads, for 64 multiply-adds. Global
// memory is read in float4 along whatever is contiguous, and while one slice of 16 depths is
// multiplied, the next is on its way into the other half of shared memory.
// kernels/gemm/register_tiles.cuh has the loop and the map of threads to outputs; it is the one the
// convolutions run in.
//
//   operand        contiguous along    into shared memory (k slow)
//   a              k                   transposed on the way, swizzled
//   a transposed   m                   float4 as they come
//   b              n                   float4 as they come
//   b transposed   k                   transposed on the way, swizzled
//
//   tile 128 x 128, 256 threads; 128 x 64 or 64 x 64, 128 threads, where that fills more SMs:
//
//             128 columns                            G1 of a generator: (128, 100) * (100, 8192)
//           +-------------+                          tiles 128 x 64: 128 blocks, one row of them
//           | 16 x 128    |
//           +-------------+                          D5 of a discriminator: (128, 8192) * (8192, 1)
//   +----+  +-------------+                          tiles 256 x 4, the depth cut in 64 parts that
//   |128 |  |  128 x 128  |                          kernels/gemm/split_sum.cu adds up in order
//   |x 16|  |             |
//   +----+  +-------------+
//
// kernels/gemm/tile_plan.h chooses the tile and the number of parts from the extents alone, so the
// order of every sum is fixed. The products of a batch are blocks of one launch,
// blockIdx.z = product * parts + part; the more products, the fewer parts.
//
// The bottleneck. FP32 units, where there are enough tiles: predicted 80 per cent of their peak for
// large squares, not yet run on hardware. G1 writes 4 MB for 0.2 GFLOP: 100 depths are seven
// slices, so that the first loads and the last stores weigh as much as the arithmetic, and it is
// bound by latency; D5 reads 4 MB once and is bound by memory.
//
// Limits. f32; fewer than 2^16 matrices below 2^30 elements. Widths that are no multiple of 4 and
// matrices that start off a 16-byte boundary are loaded one element at a time, in 64 x 64 tiles.
#include "kernels/gemm/engines.h"
#include "kernels/gemm/split_product.cuh"

namespace imago::kernels {
namespace {

// op(a) (M, K), op(b) (K, N), c (M, N) of the first product and part
template <class Shape, int lanes_a, int lanes_b, bool transposed_a, bool transposed_b>
__global__ void __launch_bounds__(Shape::threads, Shape::blocks_per_sm)
    gemm_blocked_kernel(Matrix<float, lanes_a, !transposed_a> a,
                        Matrix<float, lanes_b, transposed_b> b, RowMajor<float> c, BatchSteps steps,
                        SplitDepth cut) {
  steps.advance(cut.batch(), a, b, c);
  product_registers<Shape>(a, b, c, a.depth, cut);
}

}  // namespace

void gemm_blocked(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b,
                  Tensor& c) {
  const int rows = static_cast<int>(c.size(1)), columns = static_cast<int>(c.size(2));
  const int depth = static_cast<int>(a.size(trans_a == Transpose::yes ? 1 : 2));
  const int width_a = static_cast<int>(a.size(2)), width_b = static_cast<int>(b.size(2));
  const BatchSteps steps{batch_step(a), batch_step(b), batch_step(c)};
  SplitProduct product("gemm", {rows, columns, depth, c.size(0)}, {a, width_a % 4 == 0},
                       {b, width_b % 4 == 0}, c, columns);
  const auto run = [&]<bool transposed_a, bool transposed_b>() {
    with_tile(product.tile(), [&]<class Shape, int lanes_a, int lanes_b> {
      const Matrix<float, lanes_a, !transposed_a> left{a.device_data<float>(), rows, depth,
                                                       width_a};
      const Matrix<float, lanes_b, transposed_b> right{b.device_data<float>(), columns, depth,
                                                       width_b};
      product
          .launch<Shape, gemm_blocked_kernel<Shape, lanes_a, lanes_b, transposed_a, transposed_b>>(
              left, right, RowMajor<float>{product.out(), rows, columns}, steps);
    });
  };
  with_transposes(trans_a, trans_b, run);
  product.finish();
}

}  // namespace imago::kernels
