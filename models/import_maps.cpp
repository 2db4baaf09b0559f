#include "models/import_maps.h"

#include <bit>

namespace imago::models {
namespace {

using nn::ImportMap;
using nn::PytorchLayer;

// An attribute of the class in PyTorch that `prefix` names.
std::string below(const std::string& prefix, const std::string& name) {
  return (prefix.empty() ? "" : prefix + ".") + name;
}

// Module i of the nn.Sequential.
std::string module(const std::string& prefix, int i) {
  return below(prefix, std::to_string(i));
}

std::string layer(int i) {
  return "layers." + std::to_string(i);
}

// How often a DCGAN doubles 4x4 on the way to its image size.
int doublings(int image) {
  return std::countr_zero(static_cast<unsigned>(image / 4));
}

// resnet_features() with so many halvings, an nn.Sequential called `prefix` in PyTorch; `ours` is
// what comes before the names of its layers here.
ImportMap resnet_features_map(int downs, const std::string& prefix, const std::string& ours) {
  ImportMap map;
  for (int i = 0; i <= downs; ++i) {
    const std::string theirs = module(prefix, i), block = ours + layer(i);
    for (const int conv : {0, 2}) {
      const std::string place = std::to_string(i == 0 ? conv : conv + 1);
      map.push_back(
          {theirs + ".body." + place, block + ".body.layers." + place, PytorchLayer::conv});
    }
    if (i == downs) break;  // the last block has no shortcut
    map.push_back({theirs + ".shortcut.1", block + ".shortcut.layers.1", PytorchLayer::conv});
  }
  return map;
}

ResnetGanOptions resnet_of(const ConditionalGanSpec& spec) {
  return {.z = spec.z, .base = spec.base, .image = spec.image};
}

}  // namespace

ImportMap dcgan_generator_map(const DcganOptions& o, const std::string& prefix) {
  // Layer 0 here is the reshape of z, which in PyTorch comes before the network.
  const int ups = doublings(o.image);
  const int more = o.upsample ? 1 : 0;  // an Upsample before each convolution but the first
  ImportMap map;
  for (int i = 0; i < ups; ++i) {
    const int theirs = (3 + more) * i;
    const std::string ours = layer(1 + (1 + more) * i);
    map.push_back({module(prefix, theirs), ours + ".conv", PytorchLayer::conv});
    map.push_back({module(prefix, theirs + 1), ours + ".norm", PytorchLayer::batch_norm});
  }
  map.push_back(
      {module(prefix, (3 + more) * ups), layer(1 + (1 + more) * ups), PytorchLayer::conv});
  return map;
}

ImportMap dcgan_discriminator_map(const DcganOptions& o, const std::string& prefix) {
  const int downs = doublings(o.image);
  ImportMap map = {{module(prefix, 0), layer(0), PytorchLayer::conv}};
  const int stride = o.spectral_norm ? 2 : 3;  // their modules in a block
  for (int i = 1; i < downs; ++i) {
    const int theirs = 2 + stride * (i - 1);
    map.push_back({module(prefix, theirs), layer(1 + i) + ".conv", PytorchLayer::conv});
    if (o.spectral_norm) continue;
    map.push_back({module(prefix, theirs + 1), layer(1 + i) + ".norm", PytorchLayer::batch_norm});
  }
  map.push_back({module(prefix, 2 + stride * (downs - 1)), layer(1 + downs), PytorchLayer::conv});
  return map;
}

ImportMap resnet_generator_map(const ResnetGanOptions& o, const std::string& prefix) {
  const int ups = resnet_doublings("resnet_generator_map", o);
  const nn::ImageShape first{.h = 4, .w = 4, .c = resnet_width(o)};
  ImportMap map = {{module(prefix, 0), layer(0), PytorchLayer::linear, {}, first}};
  for (int i = 2; i < 2 + ups; ++i) {
    const std::string theirs = module(prefix, i), ours = layer(i) + ".body.layers.";
    map.push_back({theirs + ".body.0", ours + "0", PytorchLayer::batch_norm});
    map.push_back({theirs + ".body.3", ours + "3.conv", PytorchLayer::conv});
    map.push_back({theirs + ".body.4", ours + "3.norm", PytorchLayer::batch_norm});
    map.push_back({theirs + ".body.6", ours + "4", PytorchLayer::conv});
    map.push_back({theirs + ".shortcut.0", layer(i) + ".shortcut.layers.0", PytorchLayer::conv});
  }
  map.push_back({module(prefix, 2 + ups), layer(2 + ups), PytorchLayer::batch_norm});
  map.push_back({module(prefix, 4 + ups), layer(4 + ups), PytorchLayer::conv});
  return map;
}

ImportMap resnet_discriminator_map(const ResnetGanOptions& o, const std::string& prefix) {
  const int downs = resnet_doublings("resnet_discriminator_map", o);
  ImportMap map = resnet_features_map(downs, prefix, "");
  map.push_back({module(prefix, downs + 3), layer(downs + 3), PytorchLayer::linear});
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
  ImportMap map = face_cnn_map({.network = "seed003"}, prefix);
  map.push_back({module(prefix, 12), layer(12), PytorchLayer::linear});
  return map;
}

ImportMap face_cnn_map(const FaceCnnOptions& o, const std::string& prefix,
                       const std::string& ours) {
  check_face_cnn(o);
  constexpr int blocks = 4;
  const int side = o.image / 16;  // of vgg and residual
  const nn::ImageShape last{.h = side, .w = side, .c = 8 * o.base};
  ImportMap map;
  const auto add = [&](int theirs, const std::string& name, PytorchLayer kind,
                       nn::ImageShape in = {}) {
    map.push_back({module(prefix, theirs), ours + name, kind, in});
  };
  if (o.network == "seed003") {
    int left = o.image;
    for (const int i : {0, 3, 6}) {
      add(i, layer(i), PytorchLayer::conv);
      left = (left - 2) / 2;
    }
    add(10, layer(10), PytorchLayer::linear, {.h = left, .w = left, .c = 128});
    return map;
  }
  if (o.network == "vgg") {
    for (int i = 0; i < 2 * blocks; ++i) {  // three layers a block here, seven modules there
      const int theirs = 7 * (i / 2) + 3 * (i % 2), block = 3 * (i / 2) + i % 2;
      add(theirs, layer(block) + ".conv", PytorchLayer::conv);
      add(theirs + 1, layer(block) + ".norm", PytorchLayer::batch_norm);
    }
    add(7 * blocks + 2, layer(3 * blocks + 2), PytorchLayer::linear, last);
    return map;
  }
  add(0, layer(0) + ".conv", PytorchLayer::conv);
  add(1, layer(0) + ".norm", PytorchLayer::batch_norm);
  add(2, layer(1), PytorchLayer::other);
  for (int i = 0; i < blocks; ++i) {
    const std::string theirs = module(prefix, 3 + i), unit = ours + layer(2 + i);
    const auto in_unit = [&](const std::string& there, const std::string& here, PytorchLayer kind) {
      map.push_back({theirs + there, unit + here, kind});
    };
    in_unit(".body.0", ".body.layers.0", PytorchLayer::batch_norm);
    in_unit(".body.1", ".body.layers.1.conv", PytorchLayer::conv);
    in_unit(".body.2", ".body.layers.1.norm", PytorchLayer::batch_norm);
    in_unit(".body.3", ".body.layers.2", PytorchLayer::other);
    in_unit(".body.4", ".body.layers.3.conv", PytorchLayer::conv);
    in_unit(".body.5", ".body.layers.3.norm", PytorchLayer::batch_norm);
    if (i == 0) continue;
    in_unit(".shortcut.0", ".shortcut.conv", PytorchLayer::conv);
    in_unit(".shortcut.1", ".shortcut.norm", PytorchLayer::batch_norm);
  }
  add(blocks + 3, layer(blocks + 2), PytorchLayer::batch_norm);
  add(blocks + 6, layer(blocks + 5), PytorchLayer::linear, last);
  add(blocks + 7, layer(blocks + 6), PytorchLayer::batch_norm);
  return map;
}

ImportMap generator_map(const GanSpec& spec, const std::string& prefix) {
  if (spec.model == "seed001") return seed001_generator_map(prefix);
  if (spec.model == "seed003") return seed003_generator_map(prefix);
  if (is_resnet(spec)) return resnet_generator_map(resnet_options(spec), prefix);
  return dcgan_generator_map(dcgan_options(spec), prefix);
}

ImportMap discriminator_map(const GanSpec& spec, const std::string& prefix) {
  if (spec.model == "seed001") return seed001_discriminator_map(prefix);
  if (spec.model == "seed003") return seed003_discriminator_map(prefix);
  if (is_resnet(spec)) return resnet_discriminator_map(resnet_options(spec), prefix);
  return dcgan_discriminator_map(dcgan_options(spec), prefix);
}

ImportMap vae_map(const VaeOptions& o, const std::string& prefix) {
  check_vae_options(o);
  const int n = doublings(o.image);
  const nn::ImageShape middle{.h = 4, .w = 4, .c = o.base << (n - 1)};
  const std::string encoder = below(prefix, "encoder"), decoder = below(prefix, "decoder");
  ImportMap map;
  for (int i = 0; i < n; ++i) {
    map.push_back({module(encoder, 2 * i), "encoder." + layer(i) + ".conv", PytorchLayer::conv});
  }
  map.push_back({below(prefix, "mu"), "mu", PytorchLayer::linear, middle});
  map.push_back({below(prefix, "log_variance"), "log_variance", PytorchLayer::linear, middle});
  map.push_back({module(decoder, 0), "decoder." + layer(0), PytorchLayer::linear, {}, middle});
  for (int i = 0; i < n; ++i) {
    // All but the last one are blocks with their activation.
    const std::string ours = "decoder." + layer(3 + i) + (i + 1 < n ? ".conv" : "");
    map.push_back({module(decoder, 3 + 2 * i), ours, PytorchLayer::conv});
  }
  if (o.likelihood != Likelihood::bernoulli) {
    map.push_back({below(prefix, "pixels"), "pixels", PytorchLayer::other});
  }
  return map;
}

ImportMap vae_gan_discriminator_map(const VaeOptions& vae, const VaeGanOptions& o,
                                    const std::string& prefix) {
  const int last = doublings(vae.image), layer_of_features = feature_layer_of(vae, o);
  ImportMap map;
  const auto add = [&](const char* part, int i, PytorchLayer kind) {
    map.push_back({module(below(prefix, part), i), std::string(part) + "." + layer(i), kind});
  };
  int next = 0;  // in the part that is being listed
  for (int l = 1; l <= last; ++l) {
    const char* part = l <= layer_of_features ? "features" : "head";
    if (l == layer_of_features + 1) next = 0;
    add(part, next++, PytorchLayer::conv);
    if (l > 1) add(part, next++, PytorchLayer::other);  // the norm
    ++next;                                             // LeakyReLU
  }
  add("head", layer_of_features == last ? 0 : next, PytorchLayer::conv);
  return map;
}

ImportMap conditional_generator_map(const ConditionalGanSpec& spec, const std::string& prefix) {
  const ResnetGanOptions o = resnet_of(spec);
  const int ups = resnet_doublings("conditional_generator_map", o);
  const nn::ImageShape first{.h = 4, .w = 4, .c = resnet_width(o)};
  ImportMap map = {{below(prefix, "linear"), "linear", PytorchLayer::linear, {}, first}};
  const auto same_name = [&](const std::string& name, PytorchLayer kind) {
    map.push_back({below(prefix, name), name, kind});
  };
  for (int i = 0; i < ups; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    for (const std::string norm : {"norm1", "norm2"}) {
      same_name(block + norm + ".norm", PytorchLayer::batch_norm);
      for (const std::string table : {".gain", ".bias"}) {
        const std::string ours = block + norm + table;
        map.push_back({below(prefix, ours + ".weight"), ours, PytorchLayer::tensor});
      }
    }
    for (const std::string conv : {"conv1", "conv2", "shortcut"}) {
      same_name(block + conv, PytorchLayer::conv);
    }
  }
  same_name("norm", PytorchLayer::batch_norm);
  same_name("conv", PytorchLayer::conv);
  return map;
}

ImportMap conditional_discriminator_map(const ConditionalGanSpec& spec, const std::string& prefix) {
  const int downs = resnet_doublings("conditional_discriminator_map", resnet_of(spec));
  ImportMap map = resnet_features_map(downs, below(prefix, "features"), "features.");
  map.push_back({below(prefix, "linear"), "linear", PytorchLayer::linear});
  if (spec.conditioning == Conditioning::projection) {
    map.push_back({below(prefix, "embedding"), "embedding", PytorchLayer::other});
  } else {
    map.push_back({below(prefix, "classifier"), "classifier", PytorchLayer::linear});
  }
  return map;
}

ImportMap translator_map(const TranslationSpec& spec, const std::string& prefix) {
  const int n = translation_halvings(spec);
  ImportMap map = {{below(prefix, "first"), "first", PytorchLayer::conv}};
  const auto blocks = [&](const std::string& list, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string ours = list + "." + std::to_string(i), theirs = below(prefix, ours);
      map.push_back({module(theirs, 0), ours + ".conv", PytorchLayer::conv});
      map.push_back({module(theirs, 1), ours + ".norm", PytorchLayer::batch_norm});
    }
  };
  blocks("down", n);
  blocks("middle", 2);
  blocks("up", n);
  map.push_back({below(prefix, "last"), "last", PytorchLayer::conv});
  return map;
}

ImportMap global_critic_map(const TranslationSpec& spec, const std::string& prefix) {
  return dcgan_discriminator_map({.image = spec.image, .spectral_norm = true}, prefix);
}

ImportMap local_critic_map(const TranslationSpec& spec, const std::string& prefix) {
  return dcgan_discriminator_map({.image = spec.image / 2, .spectral_norm = true}, prefix);
}

ImportMap face_features_map(const std::string& prefix) {
  constexpr int blocks = 8;  // then Flatten, Linear and a batch norm of its rows
  const std::string body = below(prefix, "body");
  ImportMap map;
  for (int i = 0; i < blocks; ++i) {
    const std::string ours = "body." + layer(i);
    map.push_back({module(body, 3 * i), ours + ".conv", PytorchLayer::conv});
    map.push_back({module(body, 3 * i + 1), ours + ".norm", PytorchLayer::batch_norm});
  }
  const nn::ImageShape flattened{.h = 4, .w = 4, .c = 24};
  map.push_back(
      {module(body, 3 * blocks + 1), "body." + layer(blocks + 1), PytorchLayer::linear, flattened});
  map.push_back(
      {module(body, 3 * blocks + 2), "body." + layer(blocks + 2), PytorchLayer::batch_norm});
  map.push_back({below(prefix, "attributes"), "attributes", PytorchLayer::linear});
  return map;
}

}  // namespace imago::models
