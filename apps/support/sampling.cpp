#include "apps/support/sampling.h"

#include <algorithm>

#include "kernels/random/random.h"

namespace imago::apps {

Tensor sample_images(models::Gan& gan, std::int64_t count, std::uint64_t seed) {
  constexpr std::int64_t batch = 64;
  const NoGrad no_grad;
  const nn::Evaluating mode(gan.generator);
  const Tensor noise = kernels::normal({count, gan.z}, DType::f32, {seed, 0, 0});
  Tensor images = Tensor::empty({count, gan.image, gan.image, 3}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < count; i += batch) {
    const std::int64_t end = std::min(i + batch, count);
    images.slice(i, end).copy_from(gan.generator(noise.slice(i, end)).tensor());
  }
  return images;
}

}  // namespace imago::apps
