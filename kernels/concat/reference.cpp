// The specifications of concat, slice and place.
#include <cstring>

#include "kernels/concat/concat.h"
#include "kernels/concat/engines.h"

namespace imago::kernels {
namespace {

// Moves x (outer, n, inner) to or from [begin, begin + n) of y (outer, extent, inner), one element
// at a time.
void move_elements(const AxisView& x, const AxisView& y, std::int64_t begin, std::size_t size,
                   std::byte* of_x, std::byte* of_y, bool to_y) {
  const auto bytes = static_cast<std::int64_t>(size);
  for (std::int64_t o = 0; o < x.outer; ++o) {
    for (std::int64_t k = 0; k < x.extent; ++k) {
      for (std::int64_t i = 0; i < x.inner; ++i) {
        std::byte* px = of_x + ((o * x.extent + k) * x.inner + i) * bytes;
        std::byte* py = of_y + ((o * y.extent + begin + k) * y.inner + i) * bytes;
        std::memcpy(to_y ? py : px, to_y ? px : py, size);
      }
    }
  }
}

}  // namespace

Tensor concat_reference(std::span<const Tensor> parts, int axis) {
  Tensor out = Tensor::empty(joined_shape(parts, axis), parts[0].dtype(), Device::cpu());
  std::byte* to = out.mutable_bytes();
  std::int64_t at = 0;
  for (const Tensor& part : parts) {
    Tensor copy = part.clone();
    move_elements(view_along(part.shape(), axis), view_along(out.shape(), axis), at,
                  size_of(part.dtype()), copy.mutable_bytes(), to, true);
    at += part.size(axis);
  }
  return out;
}

Tensor slice_reference(const Tensor& x, int axis, std::int64_t begin, std::int64_t end) {
  Tensor out = Tensor::empty(sliced_shape(x, axis, begin, end), x.dtype(), Device::cpu());
  Tensor copy = x.clone();
  move_elements(view_along(out.shape(), axis), view_along(x.shape(), axis), begin,
                size_of(x.dtype()), out.mutable_bytes(), copy.mutable_bytes(), false);
  return out;
}

Tensor place_reference(const Tensor& x, int axis, std::int64_t begin, std::int64_t extent) {
  Tensor out = Tensor::empty(placed_shape(x, axis, begin, extent), x.dtype(), Device::cpu());
  out.set_zero();
  Tensor copy = x.clone();
  move_elements(view_along(x.shape(), axis), view_along(out.shape(), axis), begin,
                size_of(x.dtype()), copy.mutable_bytes(), out.mutable_bytes(), true);
  return out;
}

}  // namespace imago::kernels
