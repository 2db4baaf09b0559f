// Matrix product, chapter 2: tiles in shared memory.
//
// What changed. In chapter 1 every multiply-add loaded both its operands. A 32 x 32 tile of c needs
// 32 rows of op(a) and 32 columns of op(b); a block of 256 threads copies them into shared
// memory, 32 depths at a time, and uses every element 32 times.
//
//                         columns j                     thread t = 32 * group + lane
//                       +---------+
//                       | op(b)   | k                   outputs: rows 4 * group .. 4 * group + 3
//                       +---------+                              column lane
//             +-------+ +---------+
//   rows i    | op(a) | |    c    | 4 rows a group      a warp stores 32 neighbours of a row
//             +-------+ +---------+
//                 k
//
// The loop is that of kernels/gemm/shared_tiles.cuh, shared with the convolutions. It copies along
// whatever is contiguous in memory, so that a transposed operand is read in whole lines too: only
// the order in which the tile is filled differs. In a batch, blockIdx.z is the product; a matrix
// that all products share is stepped over by 0.
//
// The bottleneck. Shared memory: five reads for four multiply-adds, at best 20 per cent of the peak
// (predicted, not yet run on hardware). Chapter 3 keeps 8 x 8 outputs in the registers of a thread.
//
// Limits. f32, f64, bf16 with sums in acc_t; matrices below 2^30 elements, fewer than 2^21 columns,
// fewer than 2^16 products.
#include "kernels/gemm/engines.h"
#include "kernels/gemm/shared_tiles.cuh"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

// op(a) (M, K), op(b) (K, N), c (M, N) of the first product; a runs along k as stored, b does so
// transposed.
template <class T, bool transposed_a, bool transposed_b>
__global__ void __launch_bounds__(SharedTiles::threads)
    gemm_tiled_kernel(Matrix<T, 1, !transposed_a> a, Matrix<T, 1, transposed_b> b, RowMajor<T> c,
                      BatchSteps steps) {
  steps.advance(static_cast<int>(blockIdx.z), a, b, c);
  product_shared(a, b, c, a.depth);
}

}  // namespace

void gemm_tiled(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Tensor& c) {
  const int rows = static_cast<int>(c.size(1)), columns = static_cast<int>(c.size(2));
  const int depth = static_cast<int>(a.size(trans_a == Transpose::yes ? 1 : 2));
  const int width_a = static_cast<int>(a.size(2)), width_b = static_cast<int>(b.size(2));
  const BatchSteps steps{batch_step(a), batch_step(b), batch_step(c)};
  dispatch<float, double, bf16>(a.dtype(), "gemm", [&]<class T> {
    const auto run = [&]<bool transposed_a, bool transposed_b>() {
      const Matrix<T, 1, !transposed_a> left{a.device_data<T>(), rows, depth, width_a};
      const Matrix<T, 1, transposed_b> right{b.device_data<T>(), columns, depth, width_b};
      launch<gemm_tiled_kernel<T, transposed_a, transposed_b>>(
          current_stream(), SharedTiles::grid(rows, columns, c.size(0)), SharedTiles::threads,
          sizeof(SharedTiles::Block<acc_t<T>>), left, right,
          RowMajor<T>{c.mutable_device_data<T>(), rows, columns}, steps);
    };
    with_transposes(trans_a, trans_b, run);
  });
}

}  // namespace imago::kernels
