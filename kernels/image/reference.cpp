// The specifications of the ways between image bytes and network values.
#include <cmath>

#include "kernels/image/image.h"

namespace imago::kernels {

Tensor normalize_u8_reference(const Tensor& images) {
  Tensor out = Tensor::empty(images.shape(), DType::f64, Device::cpu());
  const std::uint8_t* bytes = images.data<std::uint8_t>();
  double* x = out.mutable_data<double>();
  for (std::int64_t i = 0; i < images.numel(); ++i) x[i] = bytes[i] / 127.5 - 1;
  return out;
}

Tensor denormalize_u8_reference(const Tensor& x) {
  Tensor out = Tensor::empty(x.shape(), DType::u8, Device::cpu());
  const double* values = x.data<double>();
  std::uint8_t* bytes = out.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double level = std::floor(127.5 * (values[i] + 1) + 0.5);
    if (!(level > 0)) {  // NaN too
      bytes[i] = 0;
    } else {
      bytes[i] = level < 255 ? static_cast<std::uint8_t>(level) : std::uint8_t{255};
    }
  }
  return out;
}

}  // namespace imago::kernels
