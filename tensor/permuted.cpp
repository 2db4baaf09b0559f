#include "tensor/permuted.h"

#include <array>
#include <cstring>

namespace imago {
namespace {

template <std::size_t Bytes>
void copy_elements(const std::byte* from, std::byte* to, const Shape& shape,
                   const std::array<std::int64_t, Shape::max_dim>& strides) {
  const int dim = shape.dim();
  const std::int64_t inner = shape[-1];
  const auto inner_stride = strides[static_cast<std::size_t>(dim - 1)];
  std::array<std::int64_t, Shape::max_dim> index{};
  std::int64_t start = 0;  // the element of `from` where this row of the result begins
  for (std::int64_t row = shape.numel() / inner; row > 0; --row) {
    for (std::int64_t i = 0; i < inner; ++i, to += Bytes) {
      std::memcpy(to, from + (start + i * inner_stride) * static_cast<std::int64_t>(Bytes), Bytes);
    }
    for (int axis = dim - 2; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      start += strides[a];
      if (++index[a] < shape[axis]) break;
      start -= strides[a] * shape[axis];
      index[a] = 0;
    }
  }
}

}  // namespace

Tensor permuted(const Tensor& t, std::span<const int> axes) {
  const int dim = t.dim();
  check(static_cast<int>(axes.size()) == dim, "permuted", axes.size(), " axes are given for ",
        t.shape());
  std::array<std::int64_t, Shape::max_dim> contiguous{}, strides{};
  for (std::int64_t axis = dim - 1, stride = 1; axis >= 0; --axis) {
    contiguous[static_cast<std::size_t>(axis)] = stride;
    stride *= t.size(static_cast<int>(axis));
  }
  unsigned seen = 0;
  Shape shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = axes[i];
    check(axis >= 0 && axis < dim && (seen >> axis & 1u) == 0, "permuted", "axis ", axis,
          " is out of range or there twice, for ", t.shape());
    seen |= 1u << axis;
    strides[i] = contiguous[static_cast<std::size_t>(axis)];
    shape.append(t.size(axis));
  }
  if (dim < 2 || t.numel() == 0) return t.clone().reshape(shape);
  Tensor result = Tensor::empty(shape, t.dtype(), Device::cpu());
  const std::byte* from = t.bytes();
  std::byte* to = result.mutable_bytes();
  switch (size_of(t.dtype())) {
    case 1:
      copy_elements<1>(from, to, shape, strides);
      break;
    case 2:
      copy_elements<2>(from, to, shape, strides);
      break;
    case 4:
      copy_elements<4>(from, to, shape, strides);
      break;
    default:
      copy_elements<8>(from, to, shape, strides);
  }
  return result;
}

}  // namespace imago
