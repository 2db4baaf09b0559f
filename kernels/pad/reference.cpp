// The specifications of pad.h: one element after another.
#include <vector>

#include "kernels/pad/pad.h"
#include "tensor/convert.h"

namespace imago::kernels {
namespace {

// Element (n, h, w, c) of images of these extents.
std::int64_t at(const Shape& s, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
  return ((n * s[1] + h) * s[2] + w) * s[3] + c;
}

template <class F>
void for_each_element(const Shape& s, F&& f) {
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (std::int64_t h = 0; h < s[1]; ++h)
      for (std::int64_t w = 0; w < s[2]; ++w)
        for (std::int64_t c = 0; c < s[3]; ++c) f(n, h, w, c);
}

// Where the axis of `in` places shows up at place i of the mirrored one, `before` of whose places
// lie before it.
std::int64_t mirrored(std::int64_t i, std::int64_t in, std::int64_t before) {
  const std::int64_t at = std::abs(i - before);
  return at < in ? at : 2 * (in - 1) - at;
}

Shape padded(const Shape& s, const Padding& pad, int sign) {
  return {s[0], s[1] + sign * (pad.top + pad.bottom), s[2] + sign * (pad.left + pad.right), s[3]};
}

template <class F>
void dispatch_copied(const Tensor& x, const char* op, F&& f) {
  dispatch<float, double, bf16, std::uint8_t>(x.dtype(), op, f);
}

}  // namespace

Tensor pad_reference(const Tensor& x, const Padding& pad, double value) {
  Tensor out = Tensor::empty(padded(x.shape(), pad, 1), x.dtype(), Device::cpu());
  dispatch_copied(x, "pad", [&]<class T> {
    const T* from = x.data<T>();
    T* to = out.mutable_data<T>();
    for_each_element(out.shape(), [&](auto n, auto h, auto w, auto c) {
      const std::int64_t i = h - pad.top, j = w - pad.left;
      const bool inside = i >= 0 && i < x.size(1) && j >= 0 && j < x.size(2);
      to[at(out.shape(), n, h, w, c)] =
          inside ? from[at(x.shape(), n, i, j, c)] : convert<T>(value);
    });
  });
  return out;
}

Tensor crop_reference(const Tensor& x, std::int64_t top, std::int64_t left, std::int64_t height,
                      std::int64_t width) {
  Tensor out = Tensor::empty({x.size(0), height, width, x.size(3)}, x.dtype(), Device::cpu());
  dispatch_copied(x, "crop", [&]<class T> {
    const T* from = x.data<T>();
    T* to = out.mutable_data<T>();
    for_each_element(out.shape(), [&](auto n, auto h, auto w, auto c) {
      to[at(out.shape(), n, h, w, c)] = from[at(x.shape(), n, top + h, left + w, c)];
    });
  });
  return out;
}

Tensor pad_reflect_reference(const Tensor& x, const Padding& pad) {
  Tensor out = Tensor::empty(padded(x.shape(), pad, 1), x.dtype(), Device::cpu());
  dispatch_copied(x, "pad_reflect", [&]<class T> {
    const T* from = x.data<T>();
    T* to = out.mutable_data<T>();
    for_each_element(out.shape(), [&](auto n, auto h, auto w, auto c) {
      to[at(out.shape(), n, h, w, c)] = from[at(x.shape(), n, mirrored(h, x.size(1), pad.top),
                                                mirrored(w, x.size(2), pad.left), c)];
    });
  });
  return out;
}

Tensor pad_reflect_grad_reference(const Tensor& dy, const Padding& pad) {
  Tensor out = Tensor::empty(padded(dy.shape(), pad, -1), dy.dtype(), Device::cpu());
  dispatch<float, double, bf16>(dy.dtype(), "pad_reflect_grad", [&]<class T> {
    const T* from = dy.data<T>();
    // -0 + x is x, also for x = -0. Every pixel shows up somewhere, so none stays -0.
    std::vector<acc_t<T>> sums(static_cast<std::size_t>(out.numel()), acc_t<T>(-0.0));
    for_each_element(dy.shape(), [&](auto n, auto h, auto w, auto c) {
      const std::int64_t i = mirrored(h, out.size(1), pad.top);
      const std::int64_t j = mirrored(w, out.size(2), pad.left);
      sums[static_cast<std::size_t>(at(out.shape(), n, i, j, c))] +=
          static_cast<acc_t<T>>(from[at(dy.shape(), n, h, w, c)]);
    });
    T* to = out.mutable_data<T>();
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] = static_cast<T>(sums[i]);
  });
  return out;
}

Tensor flip_reference(const Tensor& x, int axis) {
  Tensor out = Tensor::empty(x.shape(), x.dtype(), Device::cpu());
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < x.dim(); ++i) {
    if (i < axis) outer *= x.size(i);
    if (i > axis) inner *= x.size(i);
  }
  const std::int64_t extent = x.size(axis);
  dispatch_copied(x, "flip", [&]<class T> {
    const T* from = x.data<T>();
    T* to = out.mutable_data<T>();
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t i = 0; i < extent; ++i)
        for (std::int64_t k = 0; k < inner; ++k)
          to[(o * extent + i) * inner + k] = from[(o * extent + extent - 1 - i) * inner + k];
  });
  return out;
}

}  // namespace imago::kernels
