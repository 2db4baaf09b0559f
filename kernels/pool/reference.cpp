// The specifications of pool.h: one window after another, one tap after another.
#include <cmath>
#include <vector>

#include "kernels/pool/pool.h"

namespace imago::kernels {
namespace {

// Calls f(y, x, tap) for every tap of every window that lies in the image: the flat numbers of the
// window's result and of the pixel, channel by channel.
template <class F>
void for_each_tap(const Shape& x, const Shape& y, const Pool2dParams& p, F&& f) {
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t i = 0; i < y[1]; ++i)
      for (std::int64_t j = 0; j < y[2]; ++j)
        for (int r = 0; r < p.kernel_h; ++r)
          for (int s = 0; s < p.kernel_w; ++s) {
            const std::int64_t h = i * p.stride_h - p.pad.top + std::int64_t{r} * p.dilation_h;
            const std::int64_t w = j * p.stride_w - p.pad.left + std::int64_t{s} * p.dilation_w;
            if (h < 0 || h >= x[1] || w < 0 || w >= x[2]) continue;
            for (std::int64_t c = 0; c < x[3]; ++c) {
              f(((n * y[1] + i) * y[2] + j) * x[3] + c, ((n * x[1] + h) * x[2] + w) * x[3] + c,
                r * p.kernel_w + s);
            }
          }
}

bool small(const Pool2dParams& p) {
  return p.kernel_h * p.kernel_w <= 256;
}

// Calls f with the taps as numbers.
template <class F>
void with_taps(const Tensor& taps, F&& f) {
  dispatch<std::uint8_t, std::int32_t>(taps.dtype(), "pool", [&]<class I> { f(taps.data<I>()); });
}

// How many pixels the mean of each window is over, per element of y.
std::vector<double> pixels(const Shape& x, const Shape& y, const Pool2dParams& p) {
  std::vector<double> counts(static_cast<std::size_t>(y.numel()), 0);
  for_each_tap(x, y, p, [&](auto to, auto, int) { ++counts[static_cast<std::size_t>(to)]; });
  if (p.count_include_pad) counts.assign(counts.size(), p.kernel_h * p.kernel_w);
  return counts;
}

}  // namespace

MaxPool2dResult max_pool2d_reference(const Tensor& x, const Pool2dParams& params) {
  const Shape out = pool2d_output("max_pool2d", x.shape(), params);
  MaxPool2dResult result{Tensor::empty(out, x.dtype(), Device::cpu()),
                         Tensor::empty(out, small(params) ? DType::u8 : DType::i32, Device::cpu())};
  dispatch<float, double, bf16>(x.dtype(), "max_pool2d", [&]<class T> {
    dispatch<std::uint8_t, std::int32_t>(result.taps.dtype(), "max_pool2d", [&]<class I> {
      const T* from = x.data<T>();
      T* y = result.y.mutable_data<T>();
      I* taps = result.taps.mutable_data<I>();
      std::vector<bool> seen(static_cast<std::size_t>(out.numel()));
      for_each_tap(x.shape(), out, params, [&](auto to, auto at, int tap) {
        const auto value = static_cast<acc_t<T>>(from[at]), best = static_cast<acc_t<T>>(y[to]);
        const bool first = !seen[static_cast<std::size_t>(to)];
        if (!first && (std::isnan(best) || value <= best)) return;
        seen[static_cast<std::size_t>(to)] = true;
        y[to] = from[at];
        taps[to] = static_cast<I>(tap);
      });
    });
  });
  return result;
}

Tensor max_pool2d_grad_reference(const Tensor& dy, const Tensor& taps, std::int64_t height,
                                 std::int64_t width, const Pool2dParams& params) {
  Tensor dx = Tensor::empty({dy.size(0), height, width, dy.size(3)}, dy.dtype(), Device::cpu());
  dispatch<float, double, bf16>(dy.dtype(), "max_pool2d_grad", [&]<class T> {
    const T* from = dy.data<T>();
    std::vector<acc_t<T>> sums(static_cast<std::size_t>(dx.numel()));
    with_taps(taps, [&](const auto* chosen) {
      for_each_tap(dx.shape(), dy.shape(), params, [&](auto window, auto pixel, int tap) {
        if (chosen[window] == tap) {
          sums[static_cast<std::size_t>(pixel)] += static_cast<acc_t<T>>(from[window]);
        }
      });
    });
    T* to = dx.mutable_data<T>();
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] = static_cast<T>(sums[i]);
  });
  return dx;
}

Tensor max_pool2d_pick_reference(const Tensor& x, const Tensor& taps, const Pool2dParams& params) {
  const Shape out = pool2d_output("max_pool2d_pick", x.shape(), params);
  Tensor y = Tensor::empty(out, x.dtype(), Device::cpu());
  dispatch<float, double, bf16>(x.dtype(), "max_pool2d_pick", [&]<class T> {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    with_taps(taps, [&](const auto* chosen) {
      for_each_tap(x.shape(), out, params, [&](auto window, auto pixel, int tap) {
        if (chosen[window] == tap) to[window] = from[pixel];
      });
    });
  });
  return y;
}

Tensor avg_pool2d_reference(const Tensor& x, const Pool2dParams& params) {
  const Shape out = pool2d_output("avg_pool2d", x.shape(), params);
  Tensor y = Tensor::empty(out, x.dtype(), Device::cpu());
  const std::vector<double> counts = pixels(x.shape(), out, params);
  dispatch<float, double, bf16>(x.dtype(), "avg_pool2d", [&]<class T> {
    using A = acc_t<T>;
    const T* from = x.data<T>();
    std::vector<A> sums(counts.size());
    for_each_tap(x.shape(), out, params, [&](auto window, auto pixel, int) {
      sums[static_cast<std::size_t>(window)] += static_cast<A>(from[pixel]);
    });
    T* to = y.mutable_data<T>();
    for (std::size_t i = 0; i < sums.size(); ++i) {
      to[i] = static_cast<T>(sums[i] * (A(1) / static_cast<A>(counts[i])));
    }
  });
  return y;
}

Tensor avg_pool2d_grad_reference(const Tensor& dy, std::int64_t height, std::int64_t width,
                                 const Pool2dParams& params) {
  Tensor dx = Tensor::empty({dy.size(0), height, width, dy.size(3)}, dy.dtype(), Device::cpu());
  const std::vector<double> counts = pixels(dx.shape(), dy.shape(), params);
  dispatch<float, double, bf16>(dy.dtype(), "avg_pool2d_grad", [&]<class T> {
    using A = acc_t<T>;
    const T* from = dy.data<T>();
    std::vector<A> sums(static_cast<std::size_t>(dx.numel()));
    for_each_tap(dx.shape(), dy.shape(), params, [&](auto window, auto pixel, int) {
      const A share = A(1) / static_cast<A>(counts[static_cast<std::size_t>(window)]);
      sums[static_cast<std::size_t>(pixel)] += static_cast<A>(from[window]) * share;
    });
    T* to = dx.mutable_data<T>();
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] = static_cast<T>(sums[i]);
  });
  return dx;
}

}  // namespace imago::kernels
