// What the layers of the catalogue start with, and what they say to those who hold them wrong.
#include <doctest/doctest.h>

#include "autograd/random.h"
#include "kernels/elementwise/elementwise.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

Var ones(const Shape& shape, DType dtype = DType::f32) {
  return Var(Tensor::full(shape, 1, dtype));
}

// What constructing or calling something says.
template <class F>
void check_says(const std::string& part, F&& f) {
  const std::string error = error_of(f);
  CAPTURE(error);
  CAPTURE(part);
  CHECK(contains(error, part));
}

}  // namespace

TEST_CASE("layers of the catalogue start as PyTorch's do, under its names") {
  manual_seed(1);
  const auto check_all = [](const nn::Module& m, const std::string& name, const Tensor& expected) {
    CAPTURE(name);
    CHECK(same_bits(m.state_dict().at(name), expected));
  };
  check_all(nn::PReLU(), "weight", Tensor::full({1}, 0.25));
  check_all(nn::PReLU({.channels = 3}), "weight", Tensor::full({3}, 0.25));
  for (const auto& [name, value] : {std::pair{"weight", 1}, {"bias", 0}}) {
    check_all(nn::LayerNorm({.shape = {2, 3}}), name, Tensor::full({2, 3}, value));
    check_all(nn::GroupNorm({.groups = 2, .channels = 4}), name, Tensor::full({4}, value));
    check_all(nn::InstanceNorm2d({.channels = 4, .affine = true}), name, Tensor::full({4}, value));
  }
  CHECK(nn::InstanceNorm2d({.channels = 4}).state_dict().empty());
  CHECK(nn::GroupNorm({.groups = 2, .channels = 4, .affine = false}).state_dict().empty());
  CHECK(nn::LayerNorm({.shape = {4}, .affine = false}).state_dict().empty());
  const nn::Embedding embedding({.count = 100, .width = 50});
  const Tensor w = embedding.state_dict().at("weight");
  CHECK(w.shape() == Shape{100, 50});
  CHECK(std::fabs(dot(w, Tensor::full(w.shape(), 1))) / 5000 < 0.05);
  CHECK(std::fabs(dot(w, w) / 5000 - 1) < 0.1);
}

TEST_CASE("init leaves scales of norms at 1, shifts at 0, slopes and embeddings alone") {
  manual_seed(2);
  for (const auto init : {nn::init_dcgan, nn::init_glorot_uniform,
                          +[](nn::Module& m) { nn::init_weights(m, [](const Var&) {}); }}) {
    nn::Sequential net;
    net.add(nn::Linear({.in = 4, .out = 6}))
        .add(nn::LayerNorm({.shape = {6}}))
        .add(nn::PReLU({.channels = 6}))
        .add(nn::GroupNorm({.groups = 2, .channels = 6}))
        .add(nn::InstanceNorm2d({.channels = 6, .affine = true}))
        .add(nn::InstanceNorm2d({.channels = 6}));
    for (Var& p : net.parameters()) nn::fill_uniform(p, 3, 4);
    const Tensor slopes = net.state_dict().at("layers.2.weight").clone();
    init(net);
    for (const auto& [name, tensor] : net.state_dict()) {
      if (name == "layers.0.weight") continue;
      CAPTURE(name);
      const bool scale = contains(name, "weight");
      const Tensor expected =
          name == "layers.2.weight" ? slopes : Tensor::full(tensor.shape(), scale ? 1 : 0);
      CHECK(same_bits(tensor, expected));
    }
  }
}

TEST_CASE("options of layers that cannot be") {
  check_says("[PReLU] channels must be positive", [] { nn::PReLU({.channels = 0}); });
  check_says("[Clamp] low must not be above high", [] { nn::Clamp({.low = 1, .high = 0}); });
  check_says("[Clamp]", [] { nn::Clamp({.low = std::nan("")}); });
  check_says("[MaxPool2d] kernel", [] { nn::MaxPool2d({.kernel = 0}); });
  check_says("[AvgPool2d] kernel", [] { nn::AvgPool2d({.stride = -1}); });
  check_says("[Upsample] takes either", [] { nn::Upsample(nn::UpsampleOptions{}); });
  check_says("[Upsample] takes either", [] { nn::Upsample({.factor = 2, .height = 4}); });
  check_says("[Upsample] takes either", [] { nn::Upsample({.height = 4}); });
  check_says("[Pad] padding must not be negative", [] { nn::Pad({.padding = {-1, 0, 0, 0}}); });
  check_says("[Pad] a value belongs to constant padding",
             [] { nn::Pad({.mode = nn::PadMode::reflect, .value = 1}); });
  check_says("[Embedding] count and width", [] { nn::Embedding({.count = 3}); });
  check_says("[LayerNorm] normalises two or more", [] { nn::LayerNorm({.shape = {1}}); });
  check_says("[LayerNorm] normalises two or more", [] { nn::LayerNorm(nn::LayerNormOptions{}); });
  check_says("[LayerNorm] eps", [] { nn::LayerNorm({.shape = {4}, .eps = 0}); });
  check_says("[GroupNorm] 3 groups must divide 4",
             [] { nn::GroupNorm({.groups = 3, .channels = 4}); });
  check_says("[GroupNorm] eps", [] { nn::GroupNorm({.groups = 1, .channels = 4, .eps = 0}); });
  check_says("[InstanceNorm2d] channels", [] { nn::InstanceNorm2d(nn::InstanceNorm2dOptions{}); });
}

TEST_CASE("inputs that do not fit a layer of the catalogue") {
  manual_seed(3);
  const Var image = ones({4, 6, 3}), images = ones({2, 4, 6, 3});
  check_says("[MaxPool2d] expects images (N, H, W, C) but the input is (4, 6, 3); is the batch",
             [&] { nn::MaxPool2d()(image); });
  check_says("[AvgPool2d] expects images", [&] { nn::AvgPool2d()(image); });
  check_says("[GlobalAvgPool2d] expects images", [&] { nn::GlobalAvgPool2d()(image); });
  check_says("[GlobalMaxPool2d] expects images", [&] { nn::GlobalMaxPool2d()(image); });
  check_says("[Upsample] expects images", [&] { nn::Upsample({.factor = 2})(image); });
  check_says("[Pad] expects images", [&] { nn::Pad({.padding = Padding::same(1)})(image); });
  check_says("[pad_reflect]",
             [&] { nn::Pad({.padding = Padding::same(4), .mode = nn::PadMode::reflect})(images); });
  check_says("[PReLU] expects (..., 4), a slope for each channel, but the input is (2, 4, 6, 3)",
             [&] { nn::PReLU({.channels = 4})(images); });
  check_says("[Embedding] expects indices of i64 in [0, 5), not f32 (2, 4, 6, 3)",
             [&] { nn::Embedding({.count = 5, .width = 2})(images); });
  check_says("[LayerNorm] expects an input that ends in (4,) but it is (2, 4, 6, 3)",
             [&] { nn::LayerNorm({.shape = {4}})(images); });
  check_says("[GroupNorm] expects (N, ..., 4) but the input is (2, 4, 6, 3)",
             [&] { nn::GroupNorm({.groups = 2, .channels = 4})(images); });
  check_says("[InstanceNorm2d] expects (N, H, W, 4) but the input is (2, 4, 6, 3)",
             [&] { nn::InstanceNorm2d({.channels = 4})(images); });
  check_says("one pixel is its own mean", [&] {
    nn::InstanceNorm2d({.channels = 3})(ones({5, 1, 1, 3}));
  });
  nn::Residual narrow(nn::Conv2d({.in = 3, .out = 5, .kernel = 1}));
  check_says("[Residual] the body makes (2, 4, 6, 5) of (2, 4, 6, 3), to which",
             [&] { narrow(images); });
  nn::Residual uneven(nn::Conv2d({.in = 3, .out = 5, .kernel = 1}), nn::MaxPool2d());
  check_says("but the shortcut makes (2, 2, 3, 3)", [&] { uneven(images); });
}

TEST_CASE("Residual adds what its parts make, and holds them by name") {
  manual_seed(4);
  const Var x(normals({2, 4, 4, 3}, DType::f32, 1));
  nn::Sequential body;
  body.add(nn::Conv2d({.in = 3, .out = 3, .kernel = 1})).add(nn::Tanh());
  nn::Residual plain(std::move(body));
  CHECK(same_bits(plain(x).tensor(), kernels::add(plain.body()(x).tensor(), x.tensor())));
  CHECK(plain.state_dict().contains("body.layers.0.weight"));
  nn::Residual halved(nn::AvgPool2d(), nn::Conv2d({.in = 3, .out = 3, .kernel = 1, .stride = 2}));
  CHECK(halved(x).shape() == Shape{2, 2, 2, 3});
  CHECK(halved.state_dict().contains("shortcut.bias"));
}
