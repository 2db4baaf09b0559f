// Global norm, chapter 1: a block sums the squares of a chunk, one block sums the chunks.
//
// The idea is that of kernels/bce/bce_1_blocks.cu, over many tensors: each is cut into chunks of
// 16384 elements, a block each, whose tensor is found in a table
// (kernels/optimizer/tensor_table.cuh). Thread t has four accumulators, one for each element of a
// pack, and a tree in shared memory adds all 1024 of a block, always the same pairs:
//
//   element    0  1  2  3   4  5  6  7  ...  1020 .. 1023 | 1024 ...      up to 16 rows of 1024
//   thread     0  0  0  0   1  1  1  1        255 ..  255 |    0 ...
//   tree       accumulator j takes that of j + 512, then j + 256, ... j + 1
//
// A second launch of one block adds the sums of the chunks in the same way, takes the root, and
// leaves in device memory what clipping multiplies gradients by, which update_1_multi_tensor.cu
// reads from there. The bound comes from device memory too, so clipping needs no number on the
// host.
//
// Squares of f32 are exact in f64, where all sums are: nothing overflows, and since additions alone
// round, in an order that chunks and threads fix, the CPU's bits are the same.
//
// The bottleneck is memory: the gradients are read once, eight loads of 16 bytes a thread under way
// at a time, for which four blocks an SM leave 64 registers. An H200 has f64 additions to spare;
// GPUs with a 64th of their f32 rate do not, and are bound by them (predicted, not yet run on
// hardware).
//
// Limits. A table holds 176 tensors; more take more launches, whose chunks are numbered on.
#include <cmath>

#include "kernels/optimizer/engines.h"
#include "kernels/optimizer/tensor_table.cuh"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;
constexpr int accumulators = static_cast<int>(norm_accumulators);
constexpr int each = accumulators / block_size;  // of a thread
constexpr int batch = 8;                         // loads of a thread under way at a time
static_assert(norm_chunk % (batch * norm_accumulators) == 0);

struct SumBlock {
  Tile<double, accumulators> sum;
};

// Adds up s.sum, which the threads have filled; the result is in s.sum(0) for thread 0.
__device__ void add_accumulators(SumBlock& s) {
  for (int half = accumulators / 2; half > 0; half /= 2) {
    __syncthreads();
    for (int j = static_cast<int>(threadIdx.x); j < half; j += block_size) {
      s.sum(j) += s.sum(j + half);
    }
  }
}

template <class T>
struct Source {
  const T* x;
};

template <class T>
__global__ void __launch_bounds__(block_size, 4)
    squares_kernel(TensorTable<Source<T>> table,
                   double* sums) {  // one for each block
  auto& s = shared<SumBlock>();
  const int tensor = table.tensor_of(static_cast<int>(blockIdx.x));
  const std::int64_t chunk = static_cast<int>(blockIdx.x) - table.first_block[tensor];
  const T* x = table.entry[tensor].x + chunk * norm_chunk;
  const std::int64_t left = table.numel[tensor] - chunk * norm_chunk;
  const int first = static_cast<int>(threadIdx.x) * each;
  double sum[each] = {};
  if (left >= norm_chunk && table.aligned[tensor]) {
    for (int row = 0; row < norm_chunk; row += batch * accumulators) {
      Pack<T, each> pack[batch];
#pragma unroll
      for (int i = 0; i < batch; ++i) {
        pack[i] = load_as<Pack<T, each>>(x + row + i * accumulators + first);
      }
#pragma unroll
      for (int i = 0; i < batch; ++i) {
        for (int l = 0; l < each; ++l) {
          const double v = static_cast<double>(pack[i].lane[l]);
          sum[l] += v * v;
        }
      }
    }
  } else {
    for (int row = 0; row < norm_chunk; row += accumulators) {
      for (int l = 0; l < each; ++l) {
        if (row + first + l >= left) continue;
        const double v = static_cast<double>(x[row + first + l]);
        sum[l] += v * v;
      }
    }
  }
  for (int l = 0; l < each; ++l) s.sum(first + l) = sum[l];
  add_accumulators(s);
  if (threadIdx.x == 0) sums[blockIdx.x] = s.sum(0);
}

// One block. norm () and, unless null, the factor of clip_norm to *limit.
template <class T>
__global__ void __launch_bounds__(block_size)
    norm_kernel(std::int64_t chunks,
                const double* sums,  // (chunks)
                const double* limit, T* norm, double* factor) {
  auto& s = shared<SumBlock>();
  for (int j = static_cast<int>(threadIdx.x); j < accumulators; j += block_size) {
    double sum = 0;
    for (std::int64_t i = j; i < chunks; i += accumulators) sum += sums[i];
    s.sum(j) = sum;
  }
  add_accumulators(s);
  if (threadIdx.x == 0) {
    const double exact = std::sqrt(s.sum(0));
    *norm = static_cast<T>(exact);
    if (factor) *factor = clip_factor(exact, *limit);
  }
}

}  // namespace

void global_norm_cuda(std::span<const Tensor> tensors, std::int64_t chunks, const Tensor& limit,
                      Tensor& norm, Tensor& factor) {
  Tensor sums = Tensor::empty({chunks}, DType::f64, norm.device());
  double* next = sums.mutable_device_data<double>();
  dispatch<float, double>(norm.dtype(), "global_norm", [&]<class T> {
    const auto row = [&](std::size_t i) {
      const T* x = tensors[i].device_data<T>();
      return TableRow<Source<T>>{{x}, tensors[i].numel(), misalignment16(x) == 0};
    };
    for_each_table<Source<T>>("global_norm", tensors.size(), norm_chunk, row,
                              [&](const TensorTable<Source<T>>& table, int blocks) {
                                launch<squares_kernel<T>>(
                                    current_stream(), dim3(static_cast<unsigned>(blocks)),
                                    block_size, sizeof(SumBlock), table, next);
                                next += blocks;
                              });
    const double* no_limit = nullptr;
    double* no_factor = nullptr;
    launch<norm_kernel<T>>(current_stream(), dim3(1), block_size, sizeof(SumBlock), chunks,
                           static_cast<const double*>(sums.device_data<double>()),
                           factor ? limit.device_data<double>() : no_limit,
                           norm.mutable_device_data<T>(),
                           factor ? factor.mutable_device_data<double>() : no_factor);
  });
}

}  // namespace imago::kernels
