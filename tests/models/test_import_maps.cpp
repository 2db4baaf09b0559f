#include "models/import_maps.h"

#include <doctest/doctest.h>

#include "autograd/random.h"
#include "models/gan.h"
#include "nn/safetensors.h"
#include "tests/interop/seed_cnn.h"

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

TEST_CASE("the seed CNN's linear layer follows a Flatten of 6 x 6 x 128") {
  manual_seed(1);
  nn::Sequential net = test::seed_cnn(), other = test::seed_cnn();
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
