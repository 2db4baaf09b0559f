#include "models/import_maps.h"

#include <doctest/doctest.h>

#include "autograd/random.h"
#include "models/gan.h"
#include "nn/layers.h"
#include "nn/safetensors.h"

using namespace imago;
using namespace imago::models;

namespace {

// Loads what the first network exports into the second, which has other weights.
NamedTensors through_pytorch(nn::Module& from, nn::Module& to, const nn::ImportMap& map) {
  NamedTensors theirs = nn::to_pytorch(from, map);
  nn::load_pytorch(to, map, theirs);
  for (const auto& [name, tensor] : from.state_dict()) {
    CAPTURE(name);
    CHECK(same_bits(tensor, to.state_dict().at(name)));
  }
  return theirs;
}

// Images (N, 64, 64, 3) -> logits (N, 1).
nn::Sequential seed_cnn() {
  nn::Sequential net = face_cnn({.network = "seed003"});
  net.add(nn::Linear({.in = 128, .out = 1}));
  return net;
}

}  // namespace

TEST_CASE("every GAN's import maps name each of its tensors") {
  for (const std::string& name : gan_names()) {
    CAPTURE(name);
    const GanSpec spec{name, name.starts_with("seed") ? 64 : 4};
    manual_seed(1);
    Gan a = make_gan(spec);
    manual_seed(2);
    Gan b = make_gan(spec);
    through_pytorch(a.generator, b.generator, generator_map(spec));
    through_pytorch(a.discriminator, b.discriminator, discriminator_map(spec, ""));
  }
}

TEST_CASE("the import maps have the names of the classic nn.Sequentials") {
  const auto shape = [](const NamedTensors& state, const std::string& name) {
    CAPTURE(name);
    REQUIRE(state.contains(name));
    return state.at(name).shape();
  };
  manual_seed(1);
  Gan gan = make_gan({"dcgan64", 8}), other = make_gan({"dcgan64", 8});
  const GanSpec spec = gan.spec;
  const NamedTensors g = through_pytorch(gan.generator, other.generator, generator_map(spec));
  CHECK(g.size() == 5 + 4 * 5);
  CHECK(shape(g, "main.0.weight") == Shape{100, 64, 4, 4});
  CHECK(shape(g, "main.1.running_var") == Shape{64});
  CHECK(shape(g, "main.1.num_batches_tracked") == Shape{});
  CHECK(shape(g, "main.9.weight") == Shape{16, 8, 4, 4});
  CHECK(shape(g, "main.12.weight") == Shape{8, 3, 4, 4});
  const NamedTensors d =
      through_pytorch(gan.discriminator, other.discriminator, discriminator_map(spec));
  CHECK(d.size() == 5 + 3 * 5);
  CHECK(shape(d, "main.0.weight") == Shape{8, 3, 4, 4});
  CHECK(shape(d, "main.3.bias") == Shape{16});
  CHECK(shape(d, "main.8.weight") == Shape{64, 32, 4, 4});
  CHECK(shape(d, "main.11.weight") == Shape{1, 64, 4, 4});
}

TEST_CASE("the import maps of conditional GANs name each of their tensors") {
  for (const Conditioning conditioning : {Conditioning::projection, Conditioning::acgan}) {
    for (const int image : {8, 16, 32, 64, 128}) {
      INFO(name_of(conditioning) << " at " << image);
      const ConditionalGanSpec spec{
          .classes = 3, .conditioning = conditioning, .image = image, .base = 2, .z = 5};
      manual_seed(1);
      ConditionalGan a = make_conditional_gan(spec);
      manual_seed(2);
      ConditionalGan b = make_conditional_gan(spec);
      through_pytorch(a.generator, b.generator, conditional_generator_map(spec, "g"));
      through_pytorch(a.discriminator, b.discriminator, conditional_discriminator_map(spec));
    }
  }
}

TEST_CASE("conditional GANs keep their tables of classes as PyTorch's embeddings do") {
  const ConditionalGanSpec spec{.classes = 3, .image = 16, .base = 2, .z = 5};
  const ConditionalGan gan = make_conditional_gan(spec);
  const NamedTensors g = nn::to_pytorch(gan.generator, conditional_generator_map(spec, "g"));
  const NamedTensors ours = gan.generator.state_dict();
  CHECK(same_bits(g.at("g.blocks.1.norm2.gain.weight"),
                  ours.at("blocks.1.norm2.gain").to(Device::cpu())));
  CHECK(same_bits(g.at("g.blocks.0.norm1.bias.weight"),
                  ours.at("blocks.0.norm1.bias").to(Device::cpu())));
  CHECK(g.at("g.blocks.0.norm1.norm.num_batches_tracked").shape() == Shape{});
  CHECK(g.at("g.blocks.0.conv1.weight").shape() == Shape{4, 4, 3, 3});
  CHECK(g.at("g.blocks.1.shortcut.weight").shape() == Shape{2, 4, 1, 1});
  // Row 0 of the first Linear's weight counts channels, height, width there: row i of PyTorch's is
  // row i % 16 * 4 + i / 16 of ours.
  const Tensor chw = g.at("g.linear.weight"), hwc = ours.at("linear.weight").to(Device::cpu());
  REQUIRE(chw.shape() == Shape{64, 5});
  bool right = true;
  for (std::int64_t i = 0; i < 64; ++i) {
    right = right && chw.data<float>()[5 * i] == hwc.data<float>()[5 * (i % 16 * 4 + i / 16)];
  }
  CHECK(right);
  CHECK_FALSE(same_bits(chw, hwc));
  const NamedTensors d = nn::to_pytorch(gan.discriminator, conditional_discriminator_map(spec));
  CHECK(d.at("embedding.weight_orig").shape() == Shape{3, 4});
  CHECK(d.at("features.2.body.3.weight_orig").shape() == Shape{4, 4, 3, 3});
  CHECK(d.at("linear.weight_v").shape() == Shape{4});
}

TEST_CASE("the import maps of networks that embed faces name each of their tensors") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  for (const std::string& network : face_cnn_networks()) {
    for (const int image : {32, 64}) {
      INFO(network << " of " << image);
      const FaceCnnOptions options{.network = network, .image = image, .base = 2, .dimensions = 5};
      manual_seed(1);
      nn::Sequential a = face_cnn(options);
      manual_seed(2);
      nn::Sequential b = face_cnn(options);
      through_pytorch(a, b, face_cnn_map(options, "net"));
    }
  }
  const FaceCnnOptions options{.image = 64, .base = 2, .dimensions = 5};
  const nn::Sequential net = face_cnn(options);
  const NamedTensors theirs = nn::to_pytorch(net, face_cnn_map(options));
  // Convolutions, batch norms with their five tensors, PReLUs; then the last three layers.
  CHECK(theirs.size() == 1 + 5 + 1 + 4 * (2 + 3 * 5 + 1) + 3 * (1 + 5) + 5 + 1 + 5);
  CHECK(theirs.at("main.4.body.1.weight").shape() == Shape{4, 2, 3, 3});
  CHECK(theirs.at("main.6.shortcut.0.weight").shape() == Shape{16, 8, 1, 1});
  CHECK(theirs.at("main.3.body.3.weight").shape() == Shape{2});
  const Tensor chw = theirs.at("main.10.weight");
  const Tensor hwc = net.state_dict().at("layers.9.weight").to(Device::cpu());
  REQUIRE(chw.shape() == Shape{5, 256});
  bool right = true;
  for (std::int64_t i = 0; i < 256; ++i) {
    right = right && chw.data<float>()[i] == hwc.data<float>()[i % 16 * 16 + i / 16];
  }
  CHECK(right);
  CHECK_FALSE(same_bits(chw, hwc));
}

TEST_CASE("the recogniser's import map names each of its tensors") {
  const std::vector<FaceAttribute> attributes = {{"glasses", {"none", "clear", "dark"}},
                                                 {"beard", {"no", "yes"}}};
  manual_seed(1);
  FaceFeatures a(attributes);
  manual_seed(2);
  FaceFeatures b(attributes);
  const NamedTensors theirs = through_pytorch(a, b, face_features_map("net"));
  CHECK(theirs.size() == 8 * (1 + 5) + 2 + 5 + 2);
  CHECK(theirs.at("net.body.0.weight").shape() == Shape{32, 3, 4, 4});
  CHECK(theirs.at("net.body.21.weight").shape() == Shape{24, 128, 1, 1});
  CHECK(theirs.at("net.body.26.running_mean").shape() == Shape{128});
  CHECK(theirs.at("net.attributes.weight").shape() == Shape{5, 128});
  const Tensor chw = theirs.at("net.body.25.weight");
  const Tensor hwc = a.state_dict().at("body.layers.9.weight").to(Device::cpu());
  REQUIRE(chw.shape() == Shape{128, 384});
  bool right = true;
  for (std::int64_t i = 0; i < 384; ++i) {
    right = right && chw.data<float>()[i] == hwc.data<float>()[i % 16 * 24 + i / 16];
  }
  CHECK(right);
}

TEST_CASE("the seed CNN's linear layer follows a Flatten of 6 x 6 x 128") {
  manual_seed(1);
  nn::Sequential net = seed_cnn(), other = seed_cnn();
  CHECK(net.num_parameters() == 683'329);
  const NamedTensors theirs = through_pytorch(net, other, seed003_cnn_map());
  const Tensor chw = theirs.at("main.10.weight");
  const Tensor hwc = net.state_dict().at("layers.10.weight").to(Device::cpu());
  REQUIRE(chw.shape() == Shape{128, 4608});
  bool right = true;
  for (std::int64_t o = 0; o < 128; ++o) {
    for (std::int64_t i = 0; i < 4608; ++i) {
      const std::int64_t c = i / 36, position = i % 36;
      right = right &&
              chw.data<float>()[o * 4608 + i] == hwc.data<float>()[o * 4608 + position * 128 + c];
    }
  }
  CHECK(right);
  CHECK_FALSE(same_bits(chw, hwc));
  const NoGrad no_grad;
  CHECK(net(randn({2, 64, 64, 3})).shape() == Shape{2, 1});
}
