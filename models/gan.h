// The GANs one can ask for by name: a generator, a discriminator and what they expect.
#pragma once

#include <string>
#include <vector>

#include "nn/sequential.h"

namespace imago::models {

struct GanSpec {
  std::string model = "dcgan64";
  int base = 64;  // width of the dcgan family; the seed models have none

  bool operator==(const GanSpec&) const = default;
};

struct Gan {
  GanSpec spec;
  nn::Sequential generator;      // (N, z) -> (N, image, image, 3) in [-1, 1]
  nn::Sequential discriminator;  // (N, image, image, 3) -> logits (N, 1)
  int z = 100;
  int image = 64;
};

// "dcgan16", "dcgan32", "dcgan64", "dcgan128", "seed001", "seed003".
const std::vector<std::string>& gan_names();

// Throws for an unknown name and for a base that the model does not have.
void check_gan_spec(const GanSpec& spec);

// Fresh weights from the Context's generator. Throws as check_gan_spec does.
Gan make_gan(const GanSpec& spec);

}  // namespace imago::models
