#include "models/import_maps.h"

#include <bit>

namespace imago::models {
namespace {

using nn::ImportMap;
using nn::PytorchLayer;

// Module i of the nn.Sequential.
std::string module(const std::string& prefix, int i) {
  return (prefix.empty() ? "" : prefix + ".") + std::to_string(i);
}

std::string layer(int i) {
  return "layers." + std::to_string(i);
}

// How often a DCGAN doubles 4x4 on the way to its image size.
int doublings(int image) {
  return std::countr_zero(static_cast<unsigned>(image / 4));
}

int image_of(const GanSpec& spec) {
  check_gan_spec(spec);
  return std::stoi(spec.model.substr(std::string("dcgan").size()));
}

}  // namespace

ImportMap dcgan_generator_map(const DcganOptions& o, const std::string& prefix) {
  // Layer 0 here is the reshape of z, which in PyTorch comes before the network.
  const int ups = doublings(o.image);
  ImportMap map;
  for (int i = 0; i < ups; ++i) {
    map.push_back({module(prefix, 3 * i), layer(1 + i) + ".conv", PytorchLayer::conv});
    map.push_back({module(prefix, 3 * i + 1), layer(1 + i) + ".norm", PytorchLayer::batch_norm});
  }
  map.push_back({module(prefix, 3 * ups), layer(1 + ups), PytorchLayer::conv});
  return map;
}

ImportMap dcgan_discriminator_map(const DcganOptions& o, const std::string& prefix) {
  const int downs = doublings(o.image);
  ImportMap map = {{module(prefix, 0), layer(0), PytorchLayer::conv}};
  for (int i = 1; i < downs; ++i) {
    const int theirs = 2 + 3 * (i - 1);
    map.push_back({module(prefix, theirs), layer(1 + i) + ".conv", PytorchLayer::conv});
    map.push_back({module(prefix, theirs + 1), layer(1 + i) + ".norm", PytorchLayer::batch_norm});
  }
  map.push_back({module(prefix, 2 + 3 * (downs - 1)), layer(1 + downs), PytorchLayer::conv});
  return map;
}

ImportMap seed001_generator_map(const std::string& prefix) {
  const nn::ImageShape first{.h = 4, .w = 4, .c = 512};
  return {{module(prefix, 0), layer(0), PytorchLayer::linear, {}, first},
          {module(prefix, 1), layer(1), PytorchLayer::batch_norm, {}, first},
          {module(prefix, 4), layer(4), PytorchLayer::conv},
          {module(prefix, 5), layer(5), PytorchLayer::batch_norm},
          {module(prefix, 7), layer(7), PytorchLayer::conv},
          {module(prefix, 8), layer(8), PytorchLayer::batch_norm},
          {module(prefix, 10), layer(10), PytorchLayer::conv}};
}

ImportMap seed001_discriminator_map(const std::string& prefix) {
  return {{module(prefix, 0), layer(0), PytorchLayer::conv},
          {module(prefix, 3), layer(3), PytorchLayer::conv},
          {module(prefix, 7), layer(7), PytorchLayer::linear, {.h = 8, .w = 8, .c = 128}}};
}

ImportMap seed003_generator_map(const std::string& prefix) {
  return dcgan_generator_map({.image = 32}, prefix);
}

ImportMap seed003_discriminator_map(const std::string& prefix) {
  return dcgan_discriminator_map({.image = 32}, prefix);
}

ImportMap seed003_cnn_map(const std::string& prefix) {
  return {{module(prefix, 0), layer(0), PytorchLayer::conv},
          {module(prefix, 3), layer(3), PytorchLayer::conv},
          {module(prefix, 6), layer(6), PytorchLayer::conv},
          {module(prefix, 10), layer(10), PytorchLayer::linear, {.h = 6, .w = 6, .c = 128}},
          {module(prefix, 12), layer(12), PytorchLayer::linear}};
}

ImportMap generator_map(const GanSpec& spec, const std::string& prefix) {
  if (spec.model == "seed001") return seed001_generator_map(prefix);
  if (spec.model == "seed003") return seed003_generator_map(prefix);
  return dcgan_generator_map({.base = spec.base, .image = image_of(spec)}, prefix);
}

ImportMap discriminator_map(const GanSpec& spec, const std::string& prefix) {
  if (spec.model == "seed001") return seed001_discriminator_map(prefix);
  if (spec.model == "seed003") return seed003_discriminator_map(prefix);
  return dcgan_discriminator_map({.base = spec.base, .image = image_of(spec)}, prefix);
}

}  // namespace imago::models
