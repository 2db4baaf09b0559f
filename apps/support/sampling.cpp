#include "apps/support/sampling.h"

#include <algorithm>
#include <memory>

#include "kernels/random/random.h"
#include "models/conditional_gan_trainer.h"
#include "models/gan_trainer.h"
#include "models/vae_trainer.h"

namespace imago::apps {
namespace {

// `draw` makes images of z (n, length), at most 64 at a time; the first of them is image `begin`.
Tensor in_batches(std::int64_t count, std::uint64_t seed, int length, int image,
                  const std::function<Tensor(const Tensor& z, std::int64_t begin)>& draw) {
  constexpr std::int64_t batch = 64;
  const Tensor noise = kernels::normal({count, length}, DType::f32, {seed, 0, 0});
  Tensor images = Tensor::empty({count, image, image, 3}, DType::f32, Device::cpu());
  for (std::int64_t i = 0; i < count; i += batch) {
    const std::int64_t end = std::min(i + batch, count);
    images.slice(i, end).copy_from(draw(noise.slice(i, end), i));
  }
  return images;
}

// A sampler that owns its model.
Sampler sampler_of(models::Gan gan) {
  const auto own = std::make_shared<models::Gan>(std::move(gan));
  return {own->spec.model, own->image, [own](std::int64_t count, std::uint64_t seed) {
            return sample_images(*own, count, seed);
          }};
}

Sampler sampler_of(models::Vae vae) {
  const auto own = std::make_shared<models::Vae>(std::move(vae));
  const int image = own->options().image;
  return {"vae" + std::to_string(image), image, [own](std::int64_t count, std::uint64_t seed) {
            return sample_images(*own, count, seed);
          }};
}

Sampler sampler_of(models::ConditionalGan gan, const Classes& classes) {
  const auto own = std::make_shared<models::ConditionalGan>(std::move(gan));
  const models::ConditionalGanSpec& spec = own->spec;
  const auto sample = [own, classes](std::int64_t count, std::uint64_t seed) {
    return sample_images(*own, draw_classes(classes, count, seed), seed);
  };
  const auto sample_class = [own](std::int64_t label, std::int64_t count, std::uint64_t seed) {
    const std::vector<std::int64_t> labels(static_cast<std::size_t>(count), label);
    return sample_images(*own, labels, seed);
  };
  return {name_of(spec.conditioning) + std::to_string(spec.image), spec.image, sample, classes,
          sample_class};
}

}  // namespace

Tensor sample_images(models::Gan& gan, std::int64_t count, std::uint64_t seed) {
  const NoGrad no_grad;
  const nn::Evaluating mode(gan.generator);
  return in_batches(count, seed, gan.z, gan.image,
                    [&](const Tensor& z, std::int64_t) { return gan.generator(z).tensor(); });
}

Tensor sample_images(models::Vae& vae, std::int64_t count, std::uint64_t seed) {
  return in_batches(count, seed, vae.options().latent, vae.options().image,
                    [&](const Tensor& z, std::int64_t) { return vae.generate(z); });
}

Tensor sample_images(models::ConditionalGan& gan, const std::vector<std::int64_t>& classes,
                     std::uint64_t seed) {
  const NoGrad no_grad;
  const nn::Evaluating mode(gan.generator);
  const auto count = static_cast<std::int64_t>(classes.size());
  Tensor labels = Tensor::empty({count}, DType::i64, Device::cpu());
  std::copy(classes.begin(), classes.end(), labels.mutable_data<std::int64_t>());
  return in_batches(count, seed, gan.spec.z, gan.spec.image,
                    [&](const Tensor& z, std::int64_t begin) {
                      const Tensor of_z = labels.slice(begin, begin + z.size(0)).to(z.device());
                      return gan.generator(z, of_z).tensor();
                    });
}

Sampler trained_sampler(const SafetensorsFile& file) {
  if (models::is_conditional_gan(file)) {
    return sampler_of(models::load_conditional_gan(file), read_classes(file));
  }
  if (models::is_vae_checkpoint(file)) return sampler_of(models::load_vae(file));
  return sampler_of(models::load_gan(file));
}

Sampler untrained_sampler(const SafetensorsFile& file) {
  if (models::is_conditional_gan(file)) {
    return sampler_of(models::make_conditional_gan(models::conditional_gan_spec_of(file)),
                      read_classes(file));
  }
  if (models::is_vae_checkpoint(file)) {
    return sampler_of(models::Vae(models::vae_options_of(file)));
  }
  return sampler_of(models::make_gan(models::gan_spec_of(file)));
}

}  // namespace imago::apps
