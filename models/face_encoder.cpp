#include "models/face_encoder.h"

#include <algorithm>

#include "kernels/resample/resample.h"

namespace imago::models {

Tensor grey_images(const Tensor& images, std::int64_t size) {
  check(images.defined() && images.dim() == 4 && images.size(3) == 3 && images.size(0) >= 1 &&
            images.dtype() == DType::f32,
        "grey_images", "expects images (N, H, W, 3) of f32, at least one");
  check(size >= 1, "grey_images", "size must be positive, not ", size);
  constexpr std::int64_t batch = 128;  // images at a time
  const std::int64_t N = images.size(0), pixels = size * size;
  Tensor grey = Tensor::empty({N, size, size}, DType::f32, Device::cpu());
  float* out = grey.mutable_data<float>();
  for (std::int64_t i = 0; i < N; i += batch) {
    Tensor part = images.slice(i, std::min(i + batch, N));
    if (part.size(1) != size || part.size(2) != size) {
      part = kernels::resample(part, size, size, Filter::bilinear_antialias);
    }
    const Tensor host = part.to(Device::cpu());
    const float* p = host.data<float>();
    for (std::int64_t k = 0; k < host.size(0) * pixels; ++k) {
      out[i * pixels + k] = 0.299f * p[3 * k] + 0.587f * p[3 * k + 1] + 0.114f * p[3 * k + 2];
    }
  }
  return grey;
}

}  // namespace imago::models
