// Drawing images from a trained generator.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "models/gan.h"
#include "models/vae.h"
#include "nn/safetensors.h"

namespace imago::apps {

// Image i (of `count`, f32 (count, image, image, 3) in [-1, 1], in host memory whatever the device
// of the generator, which is the Context's) is a function of (seed, i): asking for more images does
// not change the first ones.
Tensor sample_images(models::Gan& gan, std::int64_t count, std::uint64_t seed);
// Of a VAE: the expected images of z from the prior, without the pixels' own noise.
Tensor sample_images(models::Vae& vae, std::int64_t count, std::uint64_t seed);

// Whatever draws images.
struct Sampler {
  std::string name;                                                      // "dcgan64", "vae64"
  int image = 0;                                                         // height and width
  std::function<Tensor(std::int64_t count, std::uint64_t seed)> sample;  // as sample_images
};

// What a checkpoint of train_gan or train_vae draws, and the same model with fresh weights from the
// Context's generator. Throw when the file holds neither.
Sampler trained_sampler(const SafetensorsFile& file);
Sampler untrained_sampler(const SafetensorsFile& file);

}  // namespace imago::apps
