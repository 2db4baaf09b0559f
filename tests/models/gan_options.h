// Small GANs for tests of the trainer's options.
#pragma once

#include "kernels/random/random.h"
#include "models/gan_trainer.h"
#include "nn/init.h"
#include "nn/layers.h"

namespace imago::test {

// dcgan16 of width 4 with a D without batch norm, which penalties need; with dropout it draws
// random numbers of its own.
inline models::Gan plain_gan(bool dropout = false) {
  manual_seed(5);
  models::Gan gan = models::make_gan({"dcgan16", 4});
  nn::Sequential d;
  d.add(nn::Conv2d({.in = 3, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
  d.add(nn::LeakyReLU({.slope = 0.2}));
  if (dropout) d.add(nn::Dropout({.p = 0.3}));
  d.add(nn::Conv2d({.in = 4, .out = 1, .kernel = 8}));
  d.add(nn::Flatten());
  nn::init_dcgan(d);
  gan.discriminator = std::move(d);
  return gan;
}

// plain_gan with spectral norm in both of D's layers, or in the first alone.
inline models::Gan spectral_gan(bool all = true) {
  manual_seed(5);
  models::Gan gan = models::make_gan({"dcgan16", 4});
  nn::Sequential d;
  d.add(nn::Conv2d({.in = 3,
                    .out = 4,
                    .kernel = 4,
                    .stride = 2,
                    .padding = Padding::same(1),
                    .spectral_norm = true}));
  d.add(nn::LeakyReLU({.slope = 0.2}));
  d.add(nn::Conv2d({.in = 4, .out = 1, .kernel = 8, .spectral_norm = all}));
  d.add(nn::Flatten());
  gan.discriminator = std::move(d);
  return gan;
}

// D(x) = <w, x>, whose gradient is w at every image.
inline models::Gan linear_gan() {
  manual_seed(5);
  models::Gan gan = models::make_gan({"dcgan16", 4});
  nn::Sequential d;
  d.add(nn::Flatten());
  d.add(nn::Linear({.in = 16 * 16 * 3, .out = 1, .bias = false}));
  gan.discriminator = std::move(d);
  return gan;
}

// Images (n, 16, 16, 3) in [0, 1), a function of `step`.
inline Tensor real_images(std::uint32_t step, std::int64_t n = 4) {
  return kernels::uniform({n, 16, 16, 3}, DType::f32, {77, step, 0});
}

}  // namespace imago::test
