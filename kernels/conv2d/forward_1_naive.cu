// Convolution, chapter 1: one thread, one output element.
//
// The idea. y[n, p, q, k] is a sum over taps r, s and channels c; give each element of the result
// to a thread and let it walk through its sum, skipping the taps that fall into the padding. No
// thread needs another one, so there is no shared memory and no barrier, and the order of a sum is
// the order of its loops: the same bits on every run. The two gradients (input_grad_1_naive.cu,
// weight_grad_1_naive.cu) are made alike:
//
//   result of            thread = one of    walks over       skips a term when
//   conv2d               y[n, p, q, k]      r, s, c          (h, w) is in the padding
//   conv2d_input_grad    x[n, h, w, c]      r, s, k          no output (p, q) has its tap (r, s)
//   conv2d_weight_grad   w[k, r, s, c]      n, p, q          (h, w) is in the padding
//
// Threads to outputs, K = 3, blocks of 8 for the picture (256 in truth):
//
//   pixel      (p, q)          (p, q + 1)      (p, q + 2)
//   channel k   0   1   2       0   1   2       0   1   2
//             +---+---+---+   +---+---+---+   +---+---+---+
//   thread    | 0 | 1 | 2 |   | 3 | 4 | 5 |   | 6 | 7 : 0 |
//             +---+---+---+   +---+---+---+   +---+---+---+
//              `------------- block 0 ------------'   `-- block 1
//
// The bottleneck. Every multiply-add loads two operands, and nothing is kept from one thread for
// the next, so the caches carry the whole traffic. Neighbouring threads share one x (a broadcast)
// but read weights R * S * C / groups elements apart: a warp touches 32 sectors to use one element
// of each. Chapter 2 loads tiles into shared memory and uses every element many times.
//
// Limits. Any stride, padding, dilation and groups; every extent below 2^30.
#include "kernels/conv2d/naive.cuh"

namespace imago::kernels {
namespace {

using namespace naive;

template <class T>
__global__ void __launch_bounds__(block_size)
    conv2d_kernel(Extents e, const T* x, const T* w, T* y, std::int64_t count) {
  const std::int64_t index = global_thread();
  if (index >= count) return;
  std::int64_t n = index;
  const int k = take_last(n, e.K);
  const int q = take_last(n, e.Q);
  const int p = take_last(n, e.P);
  const int first_c = k / e.group_k * e.group_c;

  acc_t<T> sum = 0;
  for (int r = 0; r < e.R; ++r) {
    const std::int64_t h = std::int64_t{p} * e.stride_h + std::int64_t{r} * e.dilation_h - e.top;
    if (h < 0 || h >= e.H) continue;
    for (int s = 0; s < e.S; ++s) {
      const std::int64_t v = std::int64_t{q} * e.stride_w + std::int64_t{s} * e.dilation_w - e.left;
      if (v < 0 || v >= e.W) continue;
      const T* x_pixel =
          x + at(n, static_cast<int>(h), static_cast<int>(v), first_c, e.H, e.W, e.C);
      const T* w_tap = w + at(k, r, s, 0, e.R, e.S, e.group_c);
      for (int c = 0; c < e.group_c; ++c) {
        sum = fma(static_cast<acc_t<T>>(x_pixel[c]), static_cast<acc_t<T>>(w_tap[c]), sum);
      }
    }
  }
  y[index] = static_cast<T>(sum);
}

}  // namespace

void conv2d_naive(const Conv2dProblem& p, const Tensor& x, const Tensor& w, Tensor& y) {
  const char* op = "conv2d";
  const std::int64_t count = p.N * p.P * p.Q * p.K;
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    launch<conv2d_kernel<T>>(current_stream(), grid_for(op, count, block_size), block_size, 0,
                             extents_of(op, p), x.device_data<T>(), w.device_data<T>(),
                             y.mutable_device_data<T>(), count);
  });
}

}  // namespace imago::kernels
