// Networks that embed faces: shapes, sizes, what fresh weights make of images.
#include "models/face_cnn.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/random.h"
#include "nn/linear.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

std::int64_t parameters_of(const FaceCnnOptions& options) {
  return face_cnn(options).num_parameters();
}

// Of the rows of x (N, D), the largest |cosine| of two of them.
double largest_cosine(const Tensor& x) {
  const Tensor rows = x.to(Device::cpu());
  const std::int64_t N = rows.size(0), D = rows.size(1);
  const float* p = rows.data<float>();
  const auto product = [&](std::int64_t a, std::int64_t b) {
    double sum = 0;
    for (std::int64_t i = 0; i < D; ++i) sum += double{p[a * D + i]} * double{p[b * D + i]};
    return sum;
  };
  double worst = 0;
  for (std::int64_t a = 0; a < N; ++a) {
    for (std::int64_t b = 0; b < a; ++b) {
      const double cosine = product(a, b) / std::sqrt(product(a, a) * product(b, b));
      if (!(std::abs(cosine) <= worst)) worst = std::abs(cosine);
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("face_cnn: the parameters of its networks") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(1);
  nn::Sequential seed = face_cnn({.network = "seed003", .image = 64, .channels = 3});
  seed.add(nn::Linear({.in = 128, .out = 1}));
  CHECK(seed.num_parameters() == 683'329);
  const int widths[] = {32, 64, 128, 256};
  std::int64_t vgg = 4096 * 128 + 128, residual = (27 * 32 + 2 * 32 + 32) + (2 * 256) + 4096 * 128;
  residual += 2 * 128;
  int vgg_in = 3, residual_in = 32;
  for (const int out : widths) {
    vgg += 9 * (vgg_in * out + out * out) + 4 * out;
    residual += 2 * residual_in + 9 * (residual_in * out + out * out) + 5 * out;
    if (residual_in != out) residual += residual_in * out + 2 * out;
    vgg_in = residual_in = out;
  }
  CHECK(parameters_of({.network = "vgg"}) == vgg);
  CHECK(parameters_of({.network = "residual"}) == residual);
  CHECK(vgg == 1'697'632);
  CHECK(residual == 1'752'480);
  // Of 112x112 only the last Linear is larger; of grey images the first convolution smaller.
  CHECK(parameters_of({.image = 112}) == residual + (49 - 16) * 256 * 128);
  CHECK(parameters_of({.network = "vgg", .channels = 1}) == vgg - 2 * 9 * 32);
}

TEST_CASE("face_cnn: images of 64 and 112, in colour and grey, become rows") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(2);
  const NoGrad no_grad;
  for (const std::string& network : face_cnn_networks()) {
    for (const int image : {64, 112}) {
      INFO(network << " of " << image);
      const int channels = image == 64 ? 3 : 1;
      nn::Sequential net = face_cnn(
          {.network = network, .image = image, .channels = channels, .base = 2, .dimensions = 7});
      const nn::Evaluating mode(net);
      const Var y = net(randn({1, image, image, channels}));
      CHECK(y.shape() == Shape{1, network == "seed003" ? 128 : 7});
    }
  }
}

TEST_CASE("face_cnn: fresh embeddings are of a sensible size and differ between images") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(3);
  const NoGrad no_grad;
  for (const std::string& network : face_cnn_networks()) {
    INFO(network);
    nn::Sequential net = face_cnn({.network = network, .image = 32, .base = 4, .dimensions = 32});
    const Tensor y = net(randn({8, 32, 32, 3})).tensor();
    CHECK(largest(y) > 0.1);
    CHECK(largest(y) < 100);
    // Without norms all images share what ReLU and pooling make positive.
    CHECK(largest_cosine(y) < (network == "seed003" ? 0.999 : 0.97));
  }
}

TEST_CASE("face_cnn: dropout changes what is trained, not what is used") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  const NoGrad no_grad;
  for (const std::string network : {"vgg", "residual"}) {
    INFO(network);
    FaceCnnOptions options{.network = network, .image = 32, .base = 2, .dimensions = 4};
    manual_seed(4);
    nn::Sequential plain = face_cnn(options);
    options.dropout = 0.5;
    manual_seed(4);
    nn::Sequential dropped = face_cnn(options);
    const Var x = randn({4, 32, 32, 3});
    {
      const nn::Evaluating a(plain), b(dropped);
      CHECK(same_bits(plain(x).tensor(), dropped(x).tensor()));
    }
    CHECK_FALSE(same_bits(plain(x).tensor(), dropped(x).tensor()));
  }
}

TEST_CASE("face_cnn: what is not possible is named") {
  const auto refuses = [](const FaceCnnOptions& options, const char* part) {
    CHECK_THROWS_WITH_AS(face_cnn(options), doctest::Contains(part), Error);
  };
  refuses({.network = "alexnet"}, "seed003, vgg and residual");
  refuses({.network = "seed003", .image = 21}, "22 to 224");
  refuses({.network = "vgg", .image = 72}, "multiple of 16");
  refuses({.network = "residual", .image = 16}, "multiple of 16");
  refuses({.image = 240}, "32 to 224");
  refuses({.channels = 2}, "1 or 3 channels");
  refuses({.base = 0}, "base");
  refuses({.dimensions = -1}, "dimensions");
  refuses({.dropout = 1}, "dropout");
  refuses({.dropout = std::nan("")}, "dropout");
}
