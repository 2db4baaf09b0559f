#include "kernels/image/image.h"

#include "kernels/cuda_build.h"
#include "kernels/image/engines.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {

Tensor normalize_u8(const Tensor& images, DType dtype) {
  check(images.defined() && images.dtype() == DType::u8, "normalize_u8", "takes u8 images, not ",
        images.defined() ? name_of(images.dtype()) : "an undefined tensor");
  const OpRange range("normalize_u8", images.device());
  Tensor out = Tensor::empty(images.shape(), dtype, images.device());
  if constexpr (cuda_build) {
    if (images.device().is_cuda()) {
      normalize_u8_vector(images, out);
      return out;
    }
  }
  dispatch<float, double, bf16>(dtype, "normalize_u8", [&]<class T> {
    const std::uint8_t* px = images.data<std::uint8_t>();
    T* po = out.mutable_data<T>();
    parallel_ranges(images.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      map_from_bytes(px + begin, po + begin, end - begin);
    });
  });
  return out;
}

Tensor denormalize_u8(const Tensor& x) {
  check(x.defined(), "denormalize_u8", "the argument is undefined");
  const OpRange range("denormalize_u8", x.device());
  Tensor out = Tensor::empty(x.shape(), DType::u8, x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      denormalize_u8_vector(x, out);
      return out;
    }
  }
  dispatch<float, double, bf16>(x.dtype(), "denormalize_u8", [&]<class T> {
    const T* px = x.data<T>();
    std::uint8_t* po = out.mutable_data<std::uint8_t>();
    parallel_ranges(x.numel(), default_grain, [&](std::int64_t begin, std::int64_t end) {
      map_to_bytes(px + begin, po + begin, end - begin);
    });
  });
  return out;
}

}  // namespace imago::kernels
