// Residual networks, spectral norm in discriminators, and what transposed convolutions do to
// images.
#include "models/resnet_gan.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "autograd/engine.h"
#include "autograd/gradcheck.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "kernels/random/random.h"
#include "models/dcgan.h"
#include "models/gan.h"
#include "nn/init.h"
#include "nn/summary.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// The parameters of resnet_generator({.z = z, .base = b, .image = 4 << ups}), added up by hand.
std::int64_t generator_parameters(std::int64_t z, std::int64_t b, int ups) {
  std::int64_t in = b << (ups - 1);
  std::int64_t sum = (z + 1) * 16 * in;
  for (int i = ups - 1; i >= 0; --i) {
    const std::int64_t out = b << i;
    sum += 2 * in + 9 * in * out + 2 * out + 9 * out * out + in * out;
    in = out;
  }
  return sum + 2 * b + 27 * b + 3;
}

std::int64_t discriminator_parameters(std::int64_t b, int downs) {
  std::int64_t sum = 28 * b + (9 * b + 1) * b + 4 * b;  // the first block
  for (int i = 1; i < downs; ++i) {
    const std::int64_t in = b << (i - 1), out = 2 * in;
    sum += (9 * in + 1) * in + (9 * in + 1) * out + (in + 1) * out;
  }
  const std::int64_t last = b << (downs - 1);
  return sum + 2 * (9 * last + 1) * last + last + 1;
}

Vars leaves_of(const nn::Module& module, const Var& x) {
  Vars leaves = module.parameters();
  leaves.push_back(x);
  return leaves;
}

// With biases 0 a patch of nothing but zeros stays 0 in the next ReLU, on its kink, where no
// difference quotient is the gradient.
void fill_biases(const nn::Module& module) {
  for (const auto& [name, p] : module.named_parameters()) {
    if (name.ends_with("bias")) nn::fill_uniform(p, -0.2, 0.2);
  }
}

// How much of the mean untrained picture repeats every second pixel: the variance between the
// means over its four kinds of pixels (even or odd row and column), over its mean square.
double checkerboard(nn::Sequential& generator) {
  const NoGrad no_grad;
  const Tensor images = generator(randn({16, 100})).tensor().to(Device::cpu());
  constexpr int size = 32, border = 4;  // where padding shows
  const float* p = images.data<float>();
  double between = 0, all = 0;
  for (int c = 0; c < 3; ++c) {
    std::array<double, 4> kinds{};
    double square = 0;
    for (int y = border; y < size - border; ++y) {
      for (int x = border; x < size - border; ++x) {
        double mean = 0;
        for (int n = 0; n < 16; ++n) mean += p[((n * size + y) * size + x) * 3 + c] / 16.0;
        constexpr double count = (size - 2 * border) * (size - 2 * border);
        kinds[static_cast<std::size_t>(y % 2 * 2 + x % 2)] += mean / (count / 4);
        square += mean * mean / count;
      }
    }
    const double middle = (kinds[0] + kinds[1] + kinds[2] + kinds[3]) / 4;
    for (const double kind : kinds) between += (kind - middle) * (kind - middle) / 4;
    all += square;
  }
  return between / all;
}

}  // namespace

TEST_CASE("residual networks have the parameters of their layers") {
  for (int ups = 1; ups <= 5; ++ups) {
    CAPTURE(ups);
    const ResnetGanOptions options{.z = 7, .base = 3, .image = 4 << ups};
    CHECK(resnet_generator(options).num_parameters() == generator_parameters(7, 3, ups));
    CHECK(resnet_discriminator(options).num_parameters() == discriminator_parameters(3, ups));
    CHECK(resnet_width(options) == 3 << (ups - 1));
  }
}

TEST_CASE("summary: a residual network has the arithmetic of its convolutions") {
  const ResnetGanOptions options{.z = 6, .base = 2, .image = 16};
  nn::Sequential d = resnet_discriminator(options), g = resnet_generator(options);
  const nn::Summary of_d = nn::summary(d, Shape{1, 16, 16, 3});
  INFO(of_d.to_string());
  CHECK(of_d.parameters == discriminator_parameters(2, 2));
  CHECK(of_d.rows[0].output == Shape{1, 1});
  const nn::Summary of_g = nn::summary(g, Shape{1, 6});
  INFO(of_g.to_string());
  CHECK(of_g.rows[0].output == Shape{1, 16, 16, 3});
  // Linear; blocks 4 -> 4 channels at 8x8 and 4 -> 2 at 16x16, shortcuts before the doubling; RGB.
  CHECK(of_g.flops == 2.0 * (6 * 64 + 64 * 9 * (4 * 4 + 4 * 4) + 16 * 4 * 4 +
                             256 * 9 * (4 * 2 + 2 * 2) + 64 * 4 * 2 + 256 * 9 * 2 * 3));
}

TEST_CASE("residual networks: sizes that are none are refused") {
  CHECK(
      contains(error_of([] { resnet_generator({.image = 48}); }), "8, 16, 32, 64 or 128, not 48"));
  CHECK(contains(error_of([] { resnet_discriminator({.base = 0}); }), "must be positive, not 0"));
  CHECK(contains(error_of([] { dcgan_options({"resnet32", 4}); }), "resnet32 is no DCGAN"));
  CHECK(contains(error_of([] { resnet_options({"dcgan32", 4}); }), "dcgan32 is no residual"));
}

TEST_CASE("discriminators of spectral norm have it everywhere, and judge each image by itself") {
  for (const std::string name : {"sndcgan32", "resnet32"}) {
    CAPTURE(name);
    manual_seed(1);
    Gan gan = make_gan({name, 4});
    nn::Sequential& D = gan.discriminator;
    int normalised = 0;
    for (const auto& [key, tensor] : D.state_dict()) {
      CAPTURE(key);
      CHECK_FALSE(key.ends_with("weight"));  // neither a plain weight nor a batch norm's
      CHECK_FALSE(key.ends_with("running_mean"));
      normalised += key.ends_with("weight_orig");
    }
    CHECK(normalised == (name == "resnet32" ? 12 : 4));
    if (name == "resnet32") {
      for (const auto& [key, tensor] : D.state_dict()) {
        if (key.ends_with(".bias")) CHECK_MESSAGE(largest(tensor) == 0, key);
      }
    }
    const NoGrad no_grad;
    const nn::Evaluating mode(D);
    const Tensor images = kernels::normal({3, 32, 32, 3}, DType::f32, {3, 0, 0});
    const Tensor together = D(images).tensor(), alone = D(images.slice(1, 2)).tensor();
    CHECK(largest_error(together.slice(1, 2), alone) <= 1e-5 * (1 + largest(together)));
  }
}

TEST_CASE("transposed convolutions draw checkerboards before any training; resizing does not") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    manual_seed(seed);
    nn::Sequential transposed = dcgan_generator({.base = 4, .image = 32});
    nn::Sequential resized = dcgan_generator({.base = 4, .image = 32, .upsample = Filter::nearest});
    CHECK(checkerboard(transposed) > 0.05);
    CHECK(checkerboard(resized) < 0.01);
  }
}

TEST_CASE("resize-convolution generators have the parameters of their layers") {
  nn::Sequential g = dcgan_generator({.base = 4, .image = 32, .upsample = Filter::bilinear});
  CHECK(g.num_parameters() == 16 * 100 * 16 + 9 * (16 * 8 + 8 * 4 + 4 * 3) + 2 * (16 + 8 + 4));
  nn::Sequential d = dcgan_discriminator({.base = 4, .image = 32, .spectral_norm = true});
  CHECK(d.num_parameters() == 16 * (3 * 4 + 4 * 8 + 8 * 16 + 16) + 4 + 8 + 16 + 1);
}

TEST_CASE("residual networks pass gradcheck by their input and all parameters") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(4);
  nn::Sequential g = resnet_generator({.z = 3, .base = 2, .image = 8});
  g.to(DType::f64);
  const GradcheckResult of_g = gradcheck([&](const Vars& v) { return Vars{g(v.back())}; },
                                         leaves_of(g, parameter(normals({2, 3}, DType::f64, 1))));
  CHECK_MESSAGE(of_g.ok, of_g.message);

  nn::Sequential d = resnet_discriminator({.base = 2, .image = 8});
  fill_biases(d);
  d.to(DType::f64);
  d.eval();  // a training pass would move the vectors of spectral norm
  const Var x = parameter(normals({2, 8, 8, 3}, DType::f64, 2));
  const GradcheckResult of_d =
      gradcheck([&](const Vars& v) { return Vars{d(v.back())}; }, leaves_of(d, x));
  CHECK_MESSAGE(of_d.ok, of_d.message);

  // R1: the square of the gradient by the images, differentiated by the parameters.
  double penalty = 0;
  const Differentiable r1 = [&](const Vars&) {
    const GradMode recording(true);
    const Vars gradients = grad({ops::sum(d(x))}, {x}, {}, {.create_graph = true});
    const Var square = ops::sum(ops::square(gradients.at(0)));
    penalty = square.item();
    return Vars{square};
  };
  const GradcheckResult of_r1 = gradcheck(r1, d.parameters());
  CHECK_MESSAGE(of_r1.ok, of_r1.message);
  CHECK(penalty > 0);
}
