// The specification: one element at a time, every step in f64, rounded once at the end.
#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"
#include "tensor/convert.h"

namespace imago::kernels {
namespace {

// The element of `x` that broadcasting shows at the multi-index of element i of `out`.
std::int64_t source_index(std::int64_t i, const Shape& out, const Shape& x) {
  std::int64_t source = 0;
  std::int64_t pitch = 1;
  for (int axis = -1; axis >= -x.dim(); --axis) {
    const std::int64_t step = i % out[axis];
    i /= out[axis];
    if (x[axis] != 1) source += step * pitch;
    pitch *= x[axis];
  }
  return source;
}

}  // namespace

Tensor unary_reference(Unary op, const Tensor& x, double a, double b) {
  Tensor out = Tensor::empty_like(x);
  dispatch<float, double, bf16>(x.dtype(), name_of(op), [&]<class T> {
    const T* px = x.data<T>();
    T* po = out.mutable_data<T>();
    with_op(op, [&]<Unary o> {
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        po[i] = convert<T>(formula<o, double>(convert<double>(px[i]), a, b));
      }
    });
  });
  return out;
}

Tensor binary_reference(Binary op, const Tensor& x, const Tensor& y, double a, double b) {
  const Shape shape = broadcast_shape(name_of(op), x.shape(), y.shape());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  dispatch<float, double, bf16>(x.dtype(), name_of(op), [&]<class T> {
    const T* px = x.data<T>();
    const T* py = y.data<T>();
    T* po = out.mutable_data<T>();
    with_op(op, [&]<Binary o> {
      for (std::int64_t i = 0; i < out.numel(); ++i) {
        const double vx = convert<double>(px[source_index(i, shape, x.shape())]);
        const double vy = convert<double>(py[source_index(i, shape, y.shape())]);
        po[i] = convert<T>(formula<o, double>(vx, vy, a, b));
      }
    });
  });
  return out;
}

Tensor compare_reference(Comparison op, const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shape(name_of(op), a.shape(), b.shape());
  Tensor out = Tensor::empty(shape, DType::u8, Device::cpu());
  std::uint8_t* po = out.mutable_data<std::uint8_t>();
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      a.dtype(), name_of(op), [&]<class T> {
        using C = std::conditional_t<std::is_same_v<T, bf16>, float, T>;
        for (std::int64_t i = 0; i < out.numel(); ++i) {
          const T x = a.data<T>()[source_index(i, shape, a.shape())];
          const T y = b.data<T>()[source_index(i, shape, b.shape())];
          po[i] = compared(op, static_cast<C>(x), static_cast<C>(y)) ? 1 : 0;
        }
      });
  return out;
}

Tensor where_reference(const Tensor& mask, const Tensor& a, const Tensor& b) {
  const Shape shape =
      broadcast_shape("where", mask.shape(), broadcast_shape("where", a.shape(), b.shape()));
  Tensor out = Tensor::empty(shape, a.dtype(), Device::cpu());
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      a.dtype(), "where", [&]<class T> {
        T* po = out.mutable_data<T>();
        for (std::int64_t i = 0; i < out.numel(); ++i) {
          const bool first = mask.data<std::uint8_t>()[source_index(i, shape, mask.shape())] != 0;
          const Tensor& from = first ? a : b;
          po[i] = from.data<T>()[source_index(i, shape, from.shape())];
        }
      });
  return out;
}

}  // namespace imago::kernels
