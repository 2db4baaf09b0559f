// Weight gradient of a convolution, chapter 1: one thread, one weight.
//
// The idea is that of forward_1_naive.cu: w[k, r, s, c] is the sum over all output pixels (n, p, q)
// of y[n, p, q, k] times the x that tap (r, s) of that pixel sees, and its thread walks through all
// of them.
//
//   thread     w element (c fastest)       C = 3, S = 4: a warp of 32 spans ten taps
//     0        k, r, s,     c = 0
//     1        k, r, s,     c = 1          x: 3 neighbours a tap        y: one for the warp
//     2        k, r, s,     c = 2
//     3        k, r, s + 1, c = 0
//
// The bottleneck. There are only K * R * S * C / groups threads, each with the longest sum of the
// three passes (N * P * Q terms, one after the other): a first layer of 64 filters has 3072 threads
// for 131,072 terms each, which fills a hundredth of a large GPU. The long sum also makes its f32
// rounding error the largest. Chapter 2 shares loads within a tile; chapter 3 splits the sum.
//
// Limits. Any stride, padding, dilation and groups; every extent below 2^30.
#include "kernels/conv2d/naive.cuh"

namespace imago::kernels {
namespace {

using namespace naive;

template <class T, class Out>
__global__ void __launch_bounds__(block_size)
    conv2d_weight_grad_kernel(Extents e, const T* x, const T* y, Out* w, std::int64_t count) {
  const std::int64_t index = global_thread();
  if (index >= count) return;
  std::int64_t rest = index;
  const int c_of_group = take_last(rest, e.group_c);
  const int s = take_last(rest, e.S);
  const int r = take_last(rest, e.R);
  const int k = static_cast<int>(rest);
  const int c = k / e.group_k * e.group_c + c_of_group;

  acc_t<T> sum = 0;
  for (int n = 0; n < e.N; ++n) {
    for (int p = 0; p < e.P; ++p) {
      const std::int64_t h = std::int64_t{p} * e.stride_h + std::int64_t{r} * e.dilation_h - e.top;
      if (h < 0 || h >= e.H) continue;
      for (int q = 0; q < e.Q; ++q) {
        const std::int64_t v =
            std::int64_t{q} * e.stride_w + std::int64_t{s} * e.dilation_w - e.left;
        if (v < 0 || v >= e.W) continue;
        const T image = x[at(n, static_cast<int>(h), static_cast<int>(v), c, e.H, e.W, e.C)];
        const T output = y[at(n, p, q, k, e.P, e.Q, e.K)];
        sum = fma(static_cast<acc_t<T>>(image), static_cast<acc_t<T>>(output), sum);
      }
    }
  }
  w[index] = static_cast<Out>(sum);
}

}  // namespace

void conv2d_weight_grad_naive(const Conv2dProblem& p, const Tensor& x, const Tensor& y, Tensor& w) {
  const char* op = "conv2d_weight_grad";
  const std::int64_t count = p.K * p.R * p.S * (p.C / p.params.groups);
  const auto run = [&]<class T, class Out>() {
    launch<conv2d_weight_grad_kernel<T, Out>>(
        current_stream(), grid_for(op, count, block_size), block_size, 0, extents_of(op, p),
        x.device_data<T>(), y.device_data<T>(), w.mutable_device_data<Out>(), count);
  };
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    if (w.dtype() == x.dtype()) {
      run.template operator()<T, T>();
    } else {
      run.template operator()<T, acc_t<T>>();
    }
  });
}

}  // namespace imago::kernels
