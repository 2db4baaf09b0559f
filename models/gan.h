// The GANs one can ask for by name: a generator, a discriminator and what they expect.
#pragma once

#include <string>
#include <vector>

#include "models/dcgan.h"
#include "models/resnet_gan.h"
#include "nn/sequential.h"

namespace imago::models {

struct GanSpec {
  std::string model = "dcgan64";
  int base = 64;  // width, of DcganOptions or ResnetGanOptions; the seed models have none

  bool operator==(const GanSpec&) const = default;
};

struct Gan {
  GanSpec spec;
  nn::Sequential generator;      // (N, z) -> (N, image, image, 3) in [-1, 1]
  nn::Sequential discriminator;  // (N, image, image, 3) -> logits (N, 1)
  int z = 100;
  int image = 64;
};

// A family and an image size, or a network of its own:
//   dcgan16 dcgan32 dcgan64 dcgan128  the classic DCGAN (models/dcgan.h)
//   resize32 resize64 resize128       its generator with nearest doubling and 3x3 convolutions
//   sndcgan32 sndcgan64 sndcgan128    its discriminator with spectral norm and no batch norm
//   resnet32 resnet64 resnet128       residual networks, spectral norm in D (models/resnet_gan.h)
//   seed001 seed003                   two 32x32 DCGANs of fixed width
const std::vector<std::string>& gan_names();

// Throws for an unknown name and for a base that the model does not have.
void check_gan_spec(const GanSpec& spec);

// What a checked spec says of the dcgan, resize and sndcgan families, and of the resnet one. Throw
// for a model of another kind.
DcganOptions dcgan_options(const GanSpec& spec);
ResnetGanOptions resnet_options(const GanSpec& spec);
bool is_resnet(const GanSpec& spec);

// Fresh weights from the Context's generator. Throws as check_gan_spec does.
Gan make_gan(const GanSpec& spec);

}  // namespace imago::models
