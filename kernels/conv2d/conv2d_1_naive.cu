// Convolution, chapter 1: one thread, one output element.
//
// The idea. All three derivatives of the trilinear form T(x, w, y) in conv2d.h are sums; give each
// element of the result to a thread and let it walk through its sum. No thread needs another one,
// so there is no shared memory and no barrier, and the order of a sum is the order of its loops:
// the same bits on every run.
//
//   result of            thread = one of    walks over       skips a term when
//   conv2d               y[n, p, q, k]      r, s, c          (h, w) is in the padding
//   conv2d_input_grad    x[n, h, w, c]      r, s, k          no output (p, q) has its tap (r, s)
//   conv2d_weight_grad   w[k, r, s, c]      n, p, q          (h, w) is in the padding
//
// Threads to outputs, forward, K = 3, blocks of 8 for the picture (256 in truth):
//
//   pixel      (p, q)          (p, q + 1)      (p, q + 2)
//   channel k   0   1   2       0   1   2       0   1   2
//             +---+---+---+   +---+---+---+   +---+---+---+
//   thread    | 0 | 1 | 2 |   | 3 | 4 | 5 |   | 6 | 7 : 0 |
//             +---+---+---+   +---+---+---+   +---+---+---+
//              `------------- block 0 ------------'   `-- block 1
//
// The bottleneck. Every multiply-add loads two operands, and nothing is kept from one thread for
// the next, so the caches carry the whole traffic. Forward, neighbouring threads share one x
// (a broadcast) but read weights R * S * C / groups elements apart: a warp touches 32 sectors to
// use one element of each. The gradients read along c and are kinder. The weight gradient has only
// K * R * S * C / groups threads, each with the longest sum of the three (N * P * Q terms, one
// after the other), which leaves a large GPU idle for small layers and makes its f32 rounding error
// the largest. Chapter 2 loads tiles into shared memory and uses every element many times.
//
// Limits. Any stride, padding, dilation and groups; every extent below 2^30.
#include "kernels/conv2d/engines.h"
#include "kernels/launch.h"

namespace imago::kernels {
namespace {

constexpr int block_size = 256;

// The extents as 32-bit numbers, which a GPU divides several times faster than 64-bit ones.
struct Extents {
  int N, H, W, C, K, R, S, P, Q;
  int group_c, group_k;  // channels of one group
  int stride_h, stride_w, top, left, dilation_h, dilation_w;
};

Extents extents_of(const char* op, const Conv2dProblem& p) {
  const Conv2dParams& a = p.params;
  constexpr std::int64_t limit = std::int64_t{1} << 30;
  const std::int64_t largest_h = p.H + a.pad.top + a.pad.bottom;
  const std::int64_t largest_w = p.W + a.pad.left + a.pad.right;
  for (const std::int64_t extent : {p.N, largest_h, largest_w, p.C, p.K, p.R, p.S, p.P, p.Q,
                                    std::int64_t{a.stride_h}, std::int64_t{a.stride_w}}) {
    check(extent < limit, op, "the naive engine takes extents below 2^30, not ", extent);
  }
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  return {narrow(p.N),
          narrow(p.H),
          narrow(p.W),
          narrow(p.C),
          narrow(p.K),
          narrow(p.R),
          narrow(p.S),
          narrow(p.P),
          narrow(p.Q),
          narrow(p.C / a.groups),
          narrow(p.K / a.groups),
          a.stride_h,
          a.stride_w,
          a.pad.top,
          a.pad.left,
          a.dilation_h,
          a.dilation_w};
}

// Element (i, j, k, l) of an array whose last three extents are J, K, L.
__device__ std::int64_t at(std::int64_t i, int j, int k, int l, int J, int K, int L) {
  return ((i * J + j) * K + k) * L + l;
}

// The inverse of at(): takes the last index off `flat`.
__device__ int take_last(std::int64_t& flat, int extent) {
  const std::int64_t rest = flat / extent;
  const int last = static_cast<int>(flat - rest * extent);
  flat = rest;
  return last;
}

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

void conv2d_naive(const Conv2dProblem& p, const Tensor& x, const Tensor& w, Tensor& y) {
  const char* op = "conv2d";
  const std::int64_t count = p.N * p.P * p.Q * p.K;
  dispatch<float, double, bf16>(x.dtype(), op, [&]<class T> {
    launch<conv2d_kernel<T>>(current_stream(), grid_for(op, count, block_size), block_size, 0,
                             extents_of(op, p), x.device_data<T>(), w.device_data<T>(),
                             y.mutable_device_data<T>(), count);
  });
}

void conv2d_input_grad_naive(const Conv2dProblem& p, const Tensor& y, const Tensor& w, Tensor& x) {
  const char* op = "conv2d_input_grad";
  const std::int64_t count = p.N * p.H * p.W * p.C;
  dispatch<float, double, bf16>(y.dtype(), op, [&]<class T> {
    launch<conv2d_input_grad_kernel<T>>(current_stream(), grid_for(op, count, block_size),
                                        block_size, 0, extents_of(op, p), y.device_data<T>(),
                                        w.device_data<T>(), x.mutable_device_data<T>(), count);
  });
}

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
