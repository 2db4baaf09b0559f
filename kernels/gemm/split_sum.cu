// A split product, second chapter of two: the sum of its parts.
//
// The second stage of a product whose depth was split: out[i] = parts[0][i] + parts[1][i] + ...
//
// Few outputs may have many parts (a first layer's weight gradient: 3072 outputs of 512 parts), so
// that one thread an output would leave the GPU idle. A block takes 32 outputs; its 8 warps add up
// an eighth of the parts each, in ascending order, and the first warp adds the eight sums, in
// ascending order: a fixed tree, the same bits on every run.
//
// The bottleneck is the memory: every part is read once, mostly from the L2, where it has just been
// written. Limits: fewer than 2^31 outputs.
//
//             outputs 32 b .. 32 b + 31
//   warp 0    parts [0, n/8)      lane = output: 128 bytes in a row
//   warp 1    parts [n/8, 2n/8)
//   ...                           -> shared memory, barrier -> warp 0 adds them up
#include "kernels/gemm/split_sum.h"

#include <algorithm>

#include "kernels/launch.h"
#include "tensor/stream.h"

namespace imago::kernels {
namespace {

struct SplitSum {
  static constexpr int lanes = 32, warps = 8;

  struct Block {
    Tile<float, warps, lanes> sums;
  };
};

// parts (splits, count), out (count)
__global__ void __launch_bounds__(SplitSum::lanes* SplitSum::warps)
    split_sum_kernel(const float* parts, float* out, int count, int splits) {
  auto& s = shared<SplitSum::Block>();
  const int lane = static_cast<int>(threadIdx.x) % SplitSum::lanes;
  const int warp = static_cast<int>(threadIdx.x) / SplitSum::lanes;
  const int i = static_cast<int>(blockIdx.x) * SplitSum::lanes + lane;
  const int end = splits * (warp + 1) / SplitSum::warps;
  const int from = std::min(i, count - 1);  // lanes without an output read the last one's parts
  float sum = 0;
#pragma unroll 8
  for (int part = splits * warp / SplitSum::warps; part < end; ++part) {
    sum += parts[std::int64_t{part} * count + from];
  }
  s.sums(warp, lane) = sum;
  __syncthreads();
  if (warp > 0 || i >= count) return;
  for (int other = 1; other < SplitSum::warps; ++other) sum += s.sums(other, lane);
  out[i] = sum;
}

}  // namespace

void sum_splits(const char* op, const Tensor& parts, Tensor& out) {
  launch<split_sum_kernel>(current_stream(), grid_for(op, out.numel(), SplitSum::lanes),
                           SplitSum::lanes * SplitSum::warps, sizeof(SplitSum::Block),
                           parts.device_data<float>(), out.mutable_device_data<float>(),
                           static_cast<int>(out.numel()), static_cast<int>(parts.size(0)));
}

}  // namespace imago::kernels
