// Drawing images from a trained generator.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/support/classes.h"
#include "models/conditional_gan.h"
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
// Of a conditional GAN, an image for each of the classes, each in [0, K). Image i is a function of
// (seed, i) and its class: the same places of different classes have the same noise.
Tensor sample_images(models::ConditionalGan& gan, const std::vector<std::int64_t>& classes,
                     std::uint64_t seed);

// Whatever draws images.
struct Sampler {
  std::string name;  // "dcgan64", "vae64", "acgan32"
  int image = 0;     // height and width
  // As sample_images. A conditional GAN draws each class as often as it comes in its training data.
  std::function<Tensor(std::int64_t count, std::uint64_t seed)> sample;

  // Of a conditional GAN alone: its classes, and images of one of them, with the noise that
  // `sample` has.
  Classes classes = {};
  std::function<Tensor(std::int64_t label, std::int64_t count, std::uint64_t seed)> sample_class =
      {};

  bool conditional() const { return !classes.names.empty(); }
};

// What a checkpoint of train_gan (with --labels or without) or train_vae draws, and the same model with fresh weights from the
// Context's generator. Throw when the file holds neither.
Sampler trained_sampler(const SafetensorsFile& file);
Sampler untrained_sampler(const SafetensorsFile& file);

}  // namespace imago::apps
