// Input gradient of a convolution (transposed convolution), chapter 1: one thread, one x element.
//
// The idea is that of forward_1_naive.cu, read backwards: x[n, h, w, c] gathers from every output
// (p, q) that has seen it, through the tap that saw it. A thread tries all taps (r, s) and asks
// whether one lies on (h, w): p = (h + top - r * dilation) / stride must be whole and inside.
//
//   k 4, stride 2, pad 1, along one axis: which taps hit
//
//     x row h       0         1         2         3         4
//     through r     1         0 2       1 3       0 2       1 3       the thread tries 0 1 2 3,
//     from p        0         1 0       1 0       2 1       2 1       with two divisions each
//
// Threads to outputs: thread t of the grid is element t of x, so a warp writes 32 neighbouring
// channels, reads weights w[k, r, s, c] 32 in a row, and one y for all of them.
//
// The bottleneck. As in the forward chapter every multiply-add loads both operands from the caches;
// on top of it every tap costs two divisions, and where stride > 1 most of them for nothing: with
// stride 2 three taps in four miss. Chapter 2 sorts the pixels by phase, so that no tap misses.
//
// Limits. Any stride, padding, dilation and groups; every extent below 2^30.
#include "kernels/conv2d/naive.cuh"

namespace imago::kernels {
namespace {

using namespace naive;

// The output index whose tap `tap` lies on input index `in`, or -1.
__device__ int output_of(int in, int tap, int stride, int pad, int dilation, int extent) {
  const std::int64_t scaled = std::int64_t{in} + pad - std::int64_t{tap} * dilation;
  if (scaled < 0 || scaled % stride != 0 || scaled / stride >= extent) return -1;
  return static_cast<int>(scaled / stride);
}

template <class T>
__global__ void __launch_bounds__(block_size)
    conv2d_input_grad_kernel(Extents e, const T* y, const T* w, T* x, std::int64_t count) {
  const std::int64_t index = global_thread();
  if (index >= count) return;
  std::int64_t n = index;
  const int c = take_last(n, e.C);
  const int v = take_last(n, e.W);
  const int h = take_last(n, e.H);
  const int group = c / e.group_c;
  const int first_k = group * e.group_k;
  const int c_of_group = c - group * e.group_c;

  acc_t<T> sum = 0;
  for (int r = 0; r < e.R; ++r) {
    const int p = output_of(h, r, e.stride_h, e.top, e.dilation_h, e.P);
    if (p < 0) continue;
    for (int s = 0; s < e.S; ++s) {
      const int q = output_of(v, s, e.stride_w, e.left, e.dilation_w, e.Q);
      if (q < 0) continue;
      const T* y_pixel = y + at(n, p, q, first_k, e.P, e.Q, e.K);
      for (int k = 0; k < e.group_k; ++k) {
        const T weight = w[at(first_k + k, r, s, c_of_group, e.R, e.S, e.group_c)];
        sum = fma(static_cast<acc_t<T>>(y_pixel[k]), static_cast<acc_t<T>>(weight), sum);
      }
    }
  }
  x[index] = static_cast<T>(sum);
}

}  // namespace

void conv2d_input_grad_naive(const Conv2dProblem& p, const Tensor& y, const Tensor& w, Tensor& x) {
  const char* op = "conv2d_input_grad";
  const std::int64_t count = p.N * p.H * p.W * p.C;
  dispatch<float, double, bf16>(y.dtype(), op, [&]<class T> {
    launch<conv2d_input_grad_kernel<T>>(current_stream(), grid_for(op, count, block_size),
                                        block_size, 0, extents_of(op, p), y.device_data<T>(),
                                        w.device_data<T>(), x.mutable_device_data<T>(), count);
  });
}

}  // namespace imago::kernels
