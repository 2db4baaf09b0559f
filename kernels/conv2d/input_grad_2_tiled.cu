// Input gradient of a convolution (transposed convolution), chapter 2: tiles, phase by phase.
//
// What changed. Tiles in shared memory as in forward_2_tiled.cu; and the pixels are sorted first.
// In chapter 1 a thread tried every tap and found most of them between the outputs. Which taps hit
// depends only on the remainder of a pixel's row and column by the stride: its phase. All pixels of
// a phase use the same taps, and consecutive ones see consecutive outputs, so that a phase is a
// dense product of stride 1 (phases.cuh has the arithmetic), x = windows of y * weights, with
//
//   m = (n, i, j)          the pixels of the phase          stride 2: x is four interleaved images
//   n = c                  channels
//   k = (t_h, t_w, k)      the taps of the phase,             0 1 0 1 0 1  phase 0: taps (0|2, 0|2)
//                          filters                            2 3 2 3 2 3  phase 1: taps (0|2, 1|3)
//                                                             0 1 0 1 0 1  phase 2: taps (1|3, 0|2)
//   blockIdx.z = phase, one launch for all                    2 3 2 3 2 3  phase 3: taps (1|3, 1|3)
//                                                             (with padding 0)
//
// The phases' work adds up to that of the forward pass; filling y with zeros between its elements,
// the textbook's way, costs stride_h * stride_w times as much.
//
// Threads to outputs: kernels/gemm/shared_tiles.cuh. Windows of y run along k in memory; weights
// w[k, r, s, c] run along c, the product's columns. The rows of a phase are scattered over x when
// they are stored: a row is C neighbouring elements, so this costs nothing unless C is small.
//
// The bottleneck is shared memory, as in the forward chapter.
//
// Limits. Those of the forward chapter. Phases of a kernel smaller than the stride have no taps;
// they store zeros. Phases may differ in size: the grid is as large as the largest needs, and what
// lies beyond a smaller one ends at once.
#include "kernels/conv2d/engines.h"
#include "kernels/conv2d/phases.cuh"
#include "kernels/conv2d/tiles.h"
#include "kernels/gemm/shared_tiles.cuh"

namespace imago::kernels {
namespace {

// x (N, H, W, C)
template <class T>
__global__ void __launch_bounds__(SharedTiles::threads)
    conv2d_input_grad_tiled_kernel(PhaseProblem<T> p, T* x) {
  const auto phase = product_of_phase<T, 1, 1>(p, static_cast<int>(blockIdx.z), x);
  product_shared(phase.rows, phase.weights, phase.sink, phase.rows.gather.depth);
}

}  // namespace

void conv2d_input_grad_tiled(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                             Tensor& x) {
  const char* op = "conv2d_input_grad";
  const Conv2dProblem p = as_product(problem);
  dispatch<float, double, bf16>(y.dtype(), op, [&]<class T> {
    const PhaseProblem<T> phases = phases_of<T>(p, y, w);
    launch<conv2d_input_grad_tiled_kernel<T>>(
        current_stream(), SharedTiles::grid(phases.most_rows(), p.C, phases.count()),
        SharedTiles::threads, sizeof(SharedTiles::Block<acc_t<T>>), phases,
        x.mutable_device_data<T>());
  });
}

}  // namespace imago::kernels
