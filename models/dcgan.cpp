#include "models/dcgan.h"

#include <bit>

#include "nn/init.h"
#include "nn/layers.h"

namespace imago::models {
namespace {

constexpr int smallest_map = 4;  // both networks meet the fully connected side at 4x4

// Between smallest_map and the image, of which the network has sizes from `least` on.
int doublings(const char* op, const DcganOptions& o, int least) {
  check(o.image >= least && o.image <= 128 && std::has_single_bit(static_cast<unsigned>(o.image)),
        op, "image size must be ", least == 8 ? "8, " : "", "16, 32, 64 or 128, not ", o.image);
  check(o.base > 0 && o.z > 0 && o.channels > 0, op, "base, z and channels must be positive");
  return std::countr_zero(static_cast<unsigned>(o.image / smallest_map));
}

nn::Upsample doubled(const DcganOptions& o) {
  return nn::Upsample({.factor = 2, .filter = *o.upsample});
}

}  // namespace

nn::Sequential dcgan_generator(const DcganOptions& o) {
  const int ups = doublings("dcgan_generator", o, 16);
  nn::Sequential g;
  g.add(nn::Reshape({.h = 1, .w = 1, .c = o.z}));
  int width = o.base << (ups - 1);
  g.add(nn::ConvBlock({.in = o.z,
                       .out = width,
                       .kernel = smallest_map,
                       .transposed = true,
                       .activation = nn::Activation::relu}));
  for (int i = 1; i < ups; ++i, width /= 2) {
    if (o.upsample) g.add(doubled(o));
    nn::ConvBlockOptions block{.in = width, .out = width / 2, .activation = nn::Activation::relu};
    if (o.upsample) {
      block.kernel = 3;
    } else {
      block.kernel = 4;
      block.stride = 2;
      block.transposed = true;
    }
    block.padding = Padding::same(1);
    g.add(nn::ConvBlock(block));
  }
  if (o.upsample) {
    g.add(doubled(o));
    g.add(nn::Conv2d(
        {.in = width, .out = o.channels, .kernel = 3, .padding = Padding::same(1), .bias = false}));
  } else {
    g.add(nn::ConvTranspose2d({.in = width,
                               .out = o.channels,
                               .kernel = 4,
                               .stride = 2,
                               .padding = Padding::same(1),
                               .bias = false}));
  }
  g.add(nn::Tanh());
  nn::init_dcgan(g);
  return g;
}

nn::Sequential dcgan_discriminator(const DcganOptions& o) {
  const int downs = doublings("dcgan_discriminator", o, 8);
  nn::Sequential d;
  d.add(nn::Conv2d({.in = o.channels,
                    .out = o.base,
                    .kernel = 4,
                    .stride = 2,
                    .padding = Padding::same(1),
                    .bias = o.spectral_norm,
                    .spectral_norm = o.spectral_norm}));
  d.add(nn::LeakyReLU({.slope = 0.2}));
  int width = o.base;
  for (int i = 1; i < downs; ++i, width *= 2) {
    d.add(nn::ConvBlock({.in = width,
                         .out = width * 2,
                         .kernel = 4,
                         .stride = 2,
                         .padding = Padding::same(1),
                         .bias = o.spectral_norm,
                         .batch_norm = !o.spectral_norm,
                         .spectral_norm = o.spectral_norm,
                         .activation = nn::Activation::leaky_relu,
                         .slope = 0.2}));
  }
  d.add(nn::Conv2d({.in = width,
                    .out = 1,
                    .kernel = smallest_map,
                    .bias = o.spectral_norm,
                    .spectral_norm = o.spectral_norm}));
  d.add(nn::Flatten());
  // After a new weight the vectors of spectral norm would be those of another matrix.
  if (!o.spectral_norm) nn::init_dcgan(d);
  return d;
}

}  // namespace imago::models
