#include <doctest/doctest.h>

#include "autograd/random.h"
#include "models/dcgan.h"
#include "models/gan.h"
#include "models/seed001.h"
#include "models/seed003.h"

using namespace imago;
using namespace imago::models;

TEST_CASE("seed001 and seed003 have their numbers of parameters") {
  CHECK(seed001_generator().num_parameters() == 3'463'936);
  CHECK(seed001_discriminator().num_parameters() == 142'529);
  CHECK(seed003_generator().num_parameters() == 1'068'928);
  CHECK(seed003_discriminator().num_parameters() == 663'296);
}

TEST_CASE("the classic 64x64 family has the parameters of its layers") {
  // Transposed convolutions 16 (100 512 + 512 256 + 256 128 + 128 64 + 64 3),
  // batch norm 2 (512 + ...).
  CHECK(dcgan_generator().num_parameters() ==
        16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * (512 + 256 + 128 + 64));
  CHECK(dcgan_discriminator().num_parameters() ==
        16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 2 * (128 + 256 + 512));
}

TEST_CASE("every GAN maps noise to images in [-1, 1] and images to one logit") {
  manual_seed(3);
  for (const std::string& name : gan_names()) {
#if IMAGO_EMULATED  // minutes of emulation; the builds for the CPU and for a GPU have them
    if (name.ends_with("128") && name != "dcgan128") continue;
#endif
    Gan gan = make_gan({name, name.starts_with("seed") ? 64 : 4});
    INFO(name);
    const NoGrad no_grad;
    const Var images = gan.generator(randn({2, gan.z}));
    CHECK(images.shape() == Shape{2, gan.image, gan.image, 3});
    const Tensor host = images.tensor().to(Device::cpu());
    const float* p = host.data<float>();
    bool inside = true;
    for (std::int64_t i = 0; i < images.numel(); ++i) inside = inside && p[i] >= -1 && p[i] <= 1;
    CHECK(inside);
    CHECK(gan.discriminator(images).shape() == Shape{2, 1});
  }
}

TEST_CASE("weights are a function of the seed") {
  const auto first_weight = [](std::uint64_t seed) {
    manual_seed(seed);
    return make_gan({"dcgan16", 4}).generator.parameters()[0].tensor();
  };
  CHECK(same_bits(first_weight(1), first_weight(1)));
  CHECK_FALSE(same_bits(first_weight(1), first_weight(2)));
}

TEST_CASE("unknown models and impossible sizes are named") {
  CHECK_THROWS_WITH_AS(make_gan({"dcgan65", 64}), doctest::Contains("dcgan64"), Error);
  CHECK_THROWS_WITH_AS(make_gan({"seed001", 32}), doctest::Contains("fixed widths"), Error);
  CHECK_THROWS_WITH_AS(make_gan({"resnet16", 64}), doctest::Contains("resnet32"), Error);
  CHECK_THROWS_AS(make_gan({"sndcgan32", 0}), Error);
  CHECK_THROWS_AS(dcgan_generator({.image = 48}), Error);
  CHECK_THROWS_AS(dcgan_discriminator({.base = 0}), Error);
}
