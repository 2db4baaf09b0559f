// Matrix product, chapter 1: one thread, one element of c.
//
// The idea. c[i, j] = sum over k of op(a)[i, k] * op(b)[k, j]; a thread walks along k and adds up
// in order, one fused multiply-add a term. A transposed matrix is the same memory with its two
// steps exchanged, so one kernel serves all four cases:
//
//   op(m)[i, j] = m[i * row + j * column]        as stored: row = width, column = 1
//                                                transposed: row = 1,    column = width
//
//   threads to outputs: c row by row, 256 threads a block; in a batch, matrix after matrix
//
//            j = 0  1  2  3 ...                  a warp has 32 neighbours of a row of c:
//   i = 0      [t0 t1 t2 t3 ...                  one element of op(a), broadcast to all,
//   i = 1       tN ...                           32 of op(b), side by side unless b is transposed
//
// The bottleneck. Two loads for each multiply-add, so the caches answer 16 times for what the
// arithmetic could do in one; where b is transposed, a warp's 32 loads fall into 32 lines.
// Chapter 2 loads tiles into shared memory and uses every element 32 times.
//
// Limits. None but 2^31 blocks.
#include "kernels/gemm/engines.h"
#include "kernels/launch.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

struct Steps {
  std::int64_t batch, row, column;
};

Steps steps_of(const Tensor& m, Transpose trans) {
  const std::int64_t width = m.size(2), batch = batch_step(m);
  return trans == Transpose::yes ? Steps{batch, 1, width} : Steps{batch, width, 1};
}

template <class T>
__global__ void __launch_bounds__(block_size)
    gemm_naive_kernel(std::int64_t count, std::int64_t rows, std::int64_t columns,
                      std::int64_t depth, const T* a, Steps of_a,  // op(a) (batches, rows, depth)
                      const T* b, Steps of_b,  // op(b) (batches, depth, columns)
                      T* c) {                  // (batches, rows, columns): `count` elements
  const std::int64_t index = global_thread();
  if (index >= count) return;
  const std::int64_t row = index / columns, j = index - row * columns;
  const std::int64_t batch = row / rows, i = row - batch * rows;
  const T* left = a + batch * of_a.batch + i * of_a.row;
  const T* right = b + batch * of_b.batch + j * of_b.column;
  acc_t<T> sum = 0;
  for (std::int64_t k = 0; k < depth; ++k) {
    sum = fma(static_cast<acc_t<T>>(left[k * of_a.column]),
              static_cast<acc_t<T>>(right[k * of_b.row]), sum);
  }
  c[index] = static_cast<T>(sum);
}

}  // namespace

void gemm_naive(const Tensor& a, const Tensor& b, Transpose trans_a, Transpose trans_b, Tensor& c) {
  const std::int64_t rows = c.size(1), columns = c.size(2);
  const std::int64_t depth = a.size(trans_a == Transpose::yes ? 1 : 2);
  dispatch<float, double, bf16>(a.dtype(), "gemm", [&]<class T> {
    launch<gemm_naive_kernel<T>>(current_stream(), grid_for("gemm", c.numel(), block_size),
                                 block_size, 0, c.numel(), rows, columns, depth, a.device_data<T>(),
                                 steps_of(a, trans_a), b.device_data<T>(), steps_of(b, trans_b),
                                 c.mutable_device_data<T>());
  });
}

}  // namespace imago::kernels
