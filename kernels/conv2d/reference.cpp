// The specification of conv2d, conv2d_input_grad and conv2d_weight_grad: the sums of conv2d.h as
// loops, for every stride, padding, dilation, group and dtype. The order of every sum is the order
// of the loops, whatever the number of threads.
#include <type_traits>
#include <vector>

#include "kernels/conv2d/engines.h"
#include "kernels/parallel.h"

namespace imago::kernels {

namespace {

// Output row i sees input row i * stride + tap * dilation - pad.
struct Axis {
  std::int64_t in, out;
  int stride, dilation, pad;

  // The input row, or -1 where the tap falls into the padding.
  std::int64_t input_of(std::int64_t i, std::int64_t tap) const {
    const std::int64_t row = i * stride + tap * dilation - pad;
    return row < in ? row : -1;
  }
  // The output row that sees `row` through this tap, or -1 if there is none.
  std::int64_t output_of(std::int64_t row, std::int64_t tap) const {
    const std::int64_t scaled = row + pad - tap * dilation;
    if (scaled < 0 || scaled % stride != 0) return -1;
    return scaled / stride < out ? scaled / stride : -1;
  }
};

Axis vertical(const Conv2dProblem& d) {
  return {d.H, d.P, d.params.stride_h, d.params.dilation_h, d.params.pad.top};
}
Axis horizontal(const Conv2dProblem& d) {
  return {d.W, d.Q, d.params.stride_w, d.params.dilation_w, d.params.pad.left};
}

template <class T, class Acc>
T rounded(Acc value) {
  if constexpr (std::is_same_v<T, bf16>) {
    return bf16(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

// x (N, H, W, C), w (K, R, S, C / groups), y (N, P, Q, K)
template <class T>
void forward(const Conv2dProblem& d, const T* x, const T* w, T* y) {
  using Acc = acc_t<T>;
  const Axis rows = vertical(d), columns = horizontal(d);
  const std::int64_t channels = d.C / d.params.groups;  // input channels of a group
  const std::int64_t filters = d.K / d.params.groups;   // output channels of a group
  parallel_for(d.N * d.P, [&](std::int64_t np) {
    const std::int64_t n = np / d.P, p = np % d.P;
    for (std::int64_t q = 0; q < d.Q; ++q) {
      for (std::int64_t k = 0; k < d.K; ++k) {
        Acc sum = 0;
        for (std::int64_t r = 0; r < d.R; ++r) {
          const std::int64_t h = rows.input_of(p, r);
          if (h < 0) continue;
          for (std::int64_t s = 0; s < d.S; ++s) {
            const std::int64_t v = columns.input_of(q, s);
            if (v < 0) continue;
            const T* pixel = x + ((n * d.H + h) * d.W + v) * d.C + k / filters * channels;
            const T* tap = w + ((k * d.R + r) * d.S + s) * channels;
            for (std::int64_t c = 0; c < channels; ++c) {
              sum += static_cast<Acc>(pixel[c]) * static_cast<Acc>(tap[c]);
            }
          }
        }
        y[(np * d.Q + q) * d.K + k] = rounded<T>(sum);
      }
    }
  });
}

// y (N, P, Q, K), w (K, R, S, C / groups), x (N, H, W, C)
template <class T>
void input_grad(const Conv2dProblem& d, const T* y, const T* w, T* x) {
  using Acc = acc_t<T>;
  const Axis rows = vertical(d), columns = horizontal(d);
  const std::int64_t channels = d.C / d.params.groups;
  const std::int64_t filters = d.K / d.params.groups;
  parallel_for(d.N * d.H, [&](std::int64_t nh) {
    const std::int64_t n = nh / d.H, h = nh % d.H;
    std::vector<Acc> sums(static_cast<std::size_t>(d.C));
    for (std::int64_t v = 0; v < d.W; ++v) {
      for (Acc& sum : sums) sum = 0;
      for (std::int64_t r = 0; r < d.R; ++r) {
        const std::int64_t p = rows.output_of(h, r);
        if (p < 0) continue;
        for (std::int64_t s = 0; s < d.S; ++s) {
          const std::int64_t q = columns.output_of(v, s);
          if (q < 0) continue;
          for (std::int64_t k = 0; k < d.K; ++k) {
            const auto pixel = static_cast<Acc>(y[((n * d.P + p) * d.Q + q) * d.K + k]);
            const T* tap = w + ((k * d.R + r) * d.S + s) * channels;
            Acc* group = sums.data() + k / filters * channels;
            for (std::int64_t c = 0; c < channels; ++c)
              group[c] += pixel * static_cast<Acc>(tap[c]);
          }
        }
      }
      for (std::int64_t c = 0; c < d.C; ++c) {
        x[(nh * d.W + v) * d.C + c] = rounded<T>(sums[static_cast<std::size_t>(c)]);
      }
    }
  });
}

// x (N, H, W, C), y (N, P, Q, K), w (K, R, S, C / groups)
template <class T, class Out>
void weight_grad(const Conv2dProblem& d, const T* x, const T* y, Out* w) {
  using Acc = acc_t<T>;
  const Axis rows = vertical(d), columns = horizontal(d);
  const std::int64_t channels = d.C / d.params.groups;
  const std::int64_t filters = d.K / d.params.groups;
  parallel_for(d.K * d.R * d.S, [&](std::int64_t krs) {
    const std::int64_t k = krs / (d.R * d.S), r = krs / d.S % d.R, s = krs % d.S;
    std::vector<Acc> sums(static_cast<std::size_t>(channels), Acc{0});
    for (std::int64_t n = 0; n < d.N; ++n) {
      for (std::int64_t p = 0; p < d.P; ++p) {
        const std::int64_t h = rows.input_of(p, r);
        if (h < 0) continue;
        for (std::int64_t q = 0; q < d.Q; ++q) {
          const std::int64_t v = columns.input_of(q, s);
          if (v < 0) continue;
          const auto grad = static_cast<Acc>(y[((n * d.P + p) * d.Q + q) * d.K + k]);
          const T* pixel = x + ((n * d.H + h) * d.W + v) * d.C + k / filters * channels;
          for (std::int64_t c = 0; c < channels; ++c) {
            sums[static_cast<std::size_t>(c)] += grad * static_cast<Acc>(pixel[c]);
          }
        }
      }
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      w[krs * channels + c] = rounded<Out>(sums[static_cast<std::size_t>(c)]);
    }
  });
}

}  // namespace

void conv2d_reference(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out) {
  dispatch<float, double, bf16>(x.dtype(), "conv2d", [&]<class T> {
    forward(problem, x.data<T>(), w.data<T>(), out.mutable_data<T>());
  });
}

void conv2d_input_grad_reference(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                                 Tensor& out) {
  dispatch<float, double, bf16>(y.dtype(), "conv2d_input_grad", [&]<class T> {
    input_grad(problem, y.data<T>(), w.data<T>(), out.mutable_data<T>());
  });
}

void conv2d_weight_grad_reference(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                                  Tensor& out) {
  dispatch<float, double, bf16>(x.dtype(), "conv2d_weight_grad", [&]<class T> {
    if (out.dtype() == x.dtype()) {
      weight_grad(problem, x.data<T>(), y.data<T>(), out.mutable_data<T>());
    } else {
      weight_grad(problem, x.data<T>(), y.data<T>(), out.mutable_data<acc_t<T>>());
    }
  });
}

}  // namespace imago::kernels
