// Layers, losses and gradient penalties against PyTorch: tests/goldens/catalogue.safetensors.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/embedding.h"
#include "autograd/ops/logsumexp.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "golden_checks.h"
#include "nn/layers.h"
#include "nn/loss.h"

using namespace imago;
using namespace imago::test;

namespace {

const SafetensorsFile& goldens() {
  static const SafetensorsFile file = load_goldens("catalogue.safetensors");
  return file;
}

Tensor golden(const std::string& name, DType dtype = DType::f64) {
  return kernels::cast(goldens().tensor(name), dtype);
}

// A loss of inputs, and its gradient by each of them.
void check_loss(const std::string& name, const std::vector<std::string>& inputs,
                const std::function<Var(const Vars&)>& f) {
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    Vars leaves;
    for (const auto& input : inputs) leaves.push_back(parameter(golden(name + "." + input, dtype)));
    const Var loss = f(leaves);
    loss.backward();
    check_close(name + ".loss", loss.tensor(), golden(name + ".loss"), golden_bound(dtype));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string gradient = name + ".d" + inputs[i];
      check_close(gradient, leaves[i].grad().tensor(), golden(gradient), golden_bound(dtype));
    }
  }
}

const std::map<std::string, std::string> scale_and_shift{{"weight", "w"}, {"bias", "b"}};

}  // namespace

TEST_CASE("goldens: the catalogue of activations and softmax") {
  check_layer(goldens(), "gelu", nn::GELU(), {});
  check_layer(goldens(), "gelu_tanh", nn::GELU({.form = ops::Gelu::tanh}), {});
  check_layer(goldens(), "silu", nn::SiLU(), {});
  check_layer(goldens(), "softplus", nn::Softplus(), {});
  check_layer(goldens(), "clamp", nn::Clamp({.low = -1.5, .high = 0.75}), {});
  check_layer(goldens(), "prelu", nn::PReLU(), {{"weight", "w"}});
  check_layer(goldens(), "prelu_channels", nn::PReLU({.channels = 4}), {{"weight", "w"}});
  check_layer(goldens(), "softmax", nn::Softmax(), {});
  check_layer(goldens(), "softmax_rows", nn::Softmax({.axis = 1}), {});
  check_layer(goldens(), "log_softmax", nn::LogSoftmax(), {});
  check_function(goldens(), "logsumexp", {"x"}, [](const Vars& v) {
    return ops::logsumexp(v[0], {0, 2});
  });
}

TEST_CASE("goldens: pooling, resampling and padding") {
  const Padding one = Padding::same(1), sides{.top = 0, .bottom = 3, .left = 2, .right = 1};
  check_layer(goldens(), "max_pool", nn::MaxPool2d({.kernel = 3, .stride = 2, .padding = one}), {});
  check_layer(goldens(), "max_pool_dilated",
              nn::MaxPool2d({.kernel = 2, .stride = 1, .dilation = 2}), {});
  check_layer(goldens(), "avg_pool", nn::AvgPool2d({.kernel = 3, .stride = 2, .padding = one}), {});
  check_layer(goldens(), "avg_pool_image",
              nn::AvgPool2d({.kernel = 3, .stride = 2, .padding = one, .count_include_pad = false}),
              {});
  check_layer(goldens(), "global_avg_pool", nn::GlobalAvgPool2d(), {});
  check_layer(goldens(), "global_max_pool", nn::GlobalMaxPool2d(), {});
  check_layer(goldens(), "nearest", nn::Upsample({.factor = 3}), {});
  check_layer(goldens(), "nearest_size", nn::Upsample({.height = 7, .width = 3}), {});
  check_layer(goldens(), "bilinear", nn::Upsample({.factor = 2, .filter = Filter::bilinear}), {});
  check_layer(goldens(), "bilinear_size",
              nn::Upsample({.height = 7, .width = 3, .filter = Filter::bilinear}), {});
  check_layer(goldens(), "antialias",
              nn::Upsample({.height = 4, .width = 3, .filter = Filter::bilinear_antialias}), {});
  check_layer(goldens(), "pad", nn::Pad({.padding = sides, .value = 0.5}), {});
  check_layer(goldens(), "pad_reflect", nn::Pad({.padding = sides, .mode = nn::PadMode::reflect}),
              {});
}

TEST_CASE("goldens: layer, group and instance norm") {
  check_layer(goldens(), "layer_norm", nn::LayerNorm({.shape = {5}}), scale_and_shift);
  check_layer(goldens(), "layer_norm_images", nn::LayerNorm({.shape = {3, 2, 4}, .eps = 1e-3}),
              scale_and_shift);
  check_layer(goldens(), "group_norm", nn::GroupNorm({.groups = 3, .channels = 6}),
              scale_and_shift);
  check_layer(goldens(), "instance_norm", nn::InstanceNorm2d({.channels = 3}), {});
  check_layer(goldens(), "instance_norm_affine",
              nn::InstanceNorm2d({.channels = 3, .affine = true}), scale_and_shift);
}

TEST_CASE("goldens: Embedding") {
  const Tensor indices = golden("embedding.indices", DType::i64);
  for (const DType dtype : golden_dtypes) {
    nn::Embedding layer({.count = 6, .width = 4});
    layer.to(dtype);
    layer.load_state_dict({{"weight", golden("embedding.w", dtype)}});
    const Var y = layer(Var(indices));
    y.backward(Var(golden("embedding.dy", dtype)));
    CHECK(same_bits(y.tensor(), golden("embedding.y", dtype)));
    check_close("embedding.dw", layer.weight().grad().tensor(), golden("embedding.dw"),
                golden_bound(dtype));
  }
}

TEST_CASE("goldens: the catalogue of losses") {
  const auto cross_entropy = [](const std::string& name, const loss::CrossEntropyOptions& options) {
    const Tensor labels = golden(name + ".labels", DType::i64);
    check_loss(name, {"x"},
               [&](const Vars& v) { return loss::cross_entropy(v[0], Var(labels), options); });
  };
  cross_entropy("cross_entropy", {});
  cross_entropy("cross_entropy_smooth", {.label_smoothing = 0.1});
  cross_entropy("cross_entropy_ignore", {.label_smoothing = 0.2, .ignore_index = -100});
  const auto pair = [](const std::string& name, const std::function<Var(Var, Var)>& f) {
    check_loss(name, {"x", "target"}, [&](const Vars& v) { return f(v[0], v[1]); });
  };
  pair("mse", loss::mse);
  pair("l1", loss::l1);
  pair("smooth_l1", [](const Var& a, const Var& b) { return loss::smooth_l1(a, b); });
  pair("smooth_l1_beta", [](const Var& a, const Var& b) { return loss::smooth_l1(a, b, 0.3); });
  pair("huber", [](const Var& a, const Var& b) { return loss::huber(a, b, 1.7); });
  check_loss("bce", {"x"}, [](const Vars& v) {
    return loss::bce_with_logits(v[0], Var(golden("bce.target", v[0].dtype())));
  });
  check_loss("hinge_d", {"real", "fake"}, [](const Vars& v) { return loss::hinge_d(v[0], v[1]); });
  check_loss("hinge_g", {"fake"}, [](const Vars& v) { return loss::hinge_g(v[0]); });
}

TEST_CASE("goldens: R1 and WGAN-GP penalties, and their gradients by the weights of D") {
  const std::vector<std::pair<std::string, std::string>> names{
      {"layers.0.weight", "w1"}, {"layers.0.bias", "b1"},      {"layers.2.weight", "w2"},
      {"layers.2.bias", "b2"},   {"layers.3.weight", "gamma"}, {"layers.3.bias", "beta"},
      {"layers.6.weight", "w3"}, {"layers.6.bias", "b3"}};
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    nn::Sequential d;
    const nn::Conv2dOptions first{
        .in = 2, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same(1)};
    nn::Conv2dOptions second = first;
    second.in = 4, second.out = 6;
    d.add(nn::Conv2d(first)).add(nn::LeakyReLU({.slope = 0.2})).add(nn::Conv2d(second));
    d.add(nn::GroupNorm({.groups = 2, .channels = 6})).add(nn::SiLU()).add(nn::Flatten());
    d.add(nn::Linear({.in = 24, .out = 1}));
    d.to(dtype);
    NamedTensors state;
    for (const auto& [ours, key] : names) state[ours] = golden("penalty." + key, dtype);
    d.load_state_dict(state);

    const Tensor real = golden("penalty.real", dtype), fake = golden("penalty.fake", dtype);
    const Tensor mix = golden("penalty.mix", dtype);
    const auto gradient_at = [&](const Tensor& images) {  // of the scores, image by image
      const Var x = parameter(images);
      const Var scores = d(x);
      if (images.shares_storage(real)) {
        check_close("scores", scores.tensor(), golden("penalty.scores"), golden_bound(dtype));
      }
      const Var g = grad({ops::sum(scores)}, {x}, {}, {.create_graph = true})[0];
      return ops::reshape(g, {g.size(0), -1});
    };
    const auto check_penalty = [&](const std::string& name, const Var& penalty) {
      check_close(name, penalty.tensor(), golden("penalty." + name), golden_bound(dtype));
      const Vars grads = grad({penalty}, d.parameters(), {}, {.allow_unused = true});
      REQUIRE(grads.size() == names.size());
      for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string key = "penalty." + name + "_d" + names[i].second;
        CAPTURE(key);
        if (names[i].second == "b3") {  // it moves the scores, not their gradient
          CHECK((!grads[i] || largest(grads[i].tensor()) == 0));
          continue;
        }
        REQUIRE(grads[i].defined());
        check_close(key, grads[i].tensor(), golden(key), golden_bound(dtype));
      }
    };
    const Var r1 = gradient_at(real);
    check_penalty("r1", ops::scale(ops::sum(ops::square(r1)), 10.0 / 2 / 3));
    const Tensor rest = kernels::add_scalar(kernels::scale(mix, -1), 1);
    const Var gp = gradient_at(kernels::add(kernels::mul(mix, real), kernels::mul(rest, fake)));
    const Var off = ops::add_scalar(ops::norm(gp, 2, {1}), -1);
    check_penalty("gp", ops::scale(ops::mean(ops::square(off)), 10));
  }
}
