// Gradient penalties of discriminators and their gradients by the weights, against PyTorch.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "golden_checks.h"
#include "nn/layers.h"

using namespace imago;
using namespace imago::test;

namespace {

// R1 with gamma 10 at name.real and WGAN-GP with lambda 10 at images between name.real and
// name.fake. The last bias moves the scores, not their gradient: it is `unmoved`.
void check_penalties(const SafetensorsFile& goldens, const std::string& name, nn::Module& d,
                     const GoldenNames& parameters, const GoldenNames& buffers,
                     const std::string& unmoved, DType dtype, double bound) {
  const auto golden = [&](const std::string& key, DType as = DType::f64) {
    return kernels::cast(goldens.tensor(name + "." + key), as);
  };
  CAPTURE(name);
  CAPTURE(dtype);
  d.to(dtype);
  NamedTensors state;
  for (const GoldenNames& names : {parameters, buffers}) {
    for (const auto& [ours, key] : names) state[ours] = golden(key, dtype);
  }
  d.load_state_dict(state);

  const Tensor real = golden("real", dtype), fake = golden("fake", dtype);
  const Tensor mix = golden("mix", dtype);
  const auto gradient_at = [&](const Tensor& images, bool scored) {  // of the scores, by image
    const Var x = parameter(images);
    const Var scores = d(x);
    if (scored) check_close("scores", scores.tensor(), golden("scores"), bound);
    const Var g = grad({ops::sum(scores)}, {x}, {}, {.create_graph = true})[0];
    return ops::reshape(g, {g.size(0), -1});
  };
  const auto check_penalty = [&](const std::string& key, const Var& penalty) {
    check_close(key, penalty.tensor(), golden(key), bound);
    const NamedVars named = d.named_parameters();
    REQUIRE(named.size() == parameters.size());
    const Vars grads = grad({penalty}, d.parameters(), {}, {.allow_unused = true});
    for (std::size_t i = 0; i < named.size(); ++i) {
      const std::string gradient = key + "_d" + parameters.at(named[i].first);
      CAPTURE(gradient);
      if (named[i].first == unmoved) {
        CHECK((!grads[i] || largest(grads[i].tensor()) == 0));
        continue;
      }
      REQUIRE(grads[i].defined());
      check_close(gradient, grads[i].tensor(), golden(gradient), bound);
    }
  };
  const auto images = static_cast<double>(real.size(0));
  const Var r1 = gradient_at(real, true);
  check_penalty("r1", ops::scale(ops::sum(ops::square(r1)), 10.0 / 2 / images));
  const Tensor rest = kernels::add_scalar(kernels::scale(mix, -1), 1);
  const Var gp =
      gradient_at(kernels::add(kernels::mul(mix, real), kernels::mul(rest, fake)), false);
  const Var off = ops::add_scalar(ops::norm(gp, 2, {1}), -1);
  check_penalty("gp", ops::scale(ops::mean(ops::square(off)), 10));
}

}  // namespace

TEST_CASE("goldens: R1 and WGAN-GP penalties, and their gradients by the weights of D") {
  const GoldenNames names{{"layers.0.weight", "w1"},    {"layers.0.bias", "b1"},
                          {"layers.2.weight", "w2"},    {"layers.2.bias", "b2"},
                          {"layers.3.weight", "gamma"}, {"layers.3.bias", "beta"},
                          {"layers.6.weight", "w3"},    {"layers.6.bias", "b3"}};
  nn::Sequential d;
  const nn::Conv2dOptions first{
      .in = 2, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same(1)};
  nn::Conv2dOptions second = first;
  second.in = 4, second.out = 6;
  d.add(nn::Conv2d(first)).add(nn::LeakyReLU({.slope = 0.2})).add(nn::Conv2d(second));
  d.add(nn::GroupNorm({.groups = 2, .channels = 6})).add(nn::SiLU()).add(nn::Flatten());
  d.add(nn::Linear({.in = 24, .out = 1}));
  for (const DType dtype : golden_dtypes) {
    check_penalties(golden_file("catalogue.safetensors"), "penalty", d, names, {}, "layers.6.bias",
                    dtype, golden_bound(dtype));
  }
}

TEST_CASE("goldens: R1 and WGAN-GP penalties of a residual D with layer norm and spectral norm") {
  const GoldenNames names{{"layers.0.weight", "w1"},
                          {"layers.0.bias", "b1"},
                          {"layers.2.body.layers.1.weight", "w2"},
                          {"layers.2.body.layers.1.bias", "b2"},
                          {"layers.2.shortcut.weight", "w3"},
                          {"layers.3.weight", "gamma"},
                          {"layers.3.bias", "beta"},
                          {"layers.7.weight_orig", "w4"},
                          {"layers.7.bias", "b4"}};
  const GoldenNames vectors{{"layers.7.weight_u", "u"}, {"layers.7.weight_v", "v"}};
  nn::Sequential body;
  body.add(nn::SiLU())
      .add(nn::Conv2d({.in = 4, .out = 6, .kernel = 3, .padding = Padding::same(1)}))
      .add(nn::AvgPool2d({.kernel = 2}));
  nn::Sequential d;
  d.add(nn::Conv2d({.in = 2, .out = 4, .kernel = 3, .padding = Padding::same(1)}))
      .add(nn::Tanh())
      .add(nn::Residual(std::move(body),
                        nn::Conv2d({.in = 4, .out = 6, .kernel = 1, .stride = 2, .bias = false})))
      .add(nn::LayerNorm({.shape = {4, 4, 6}}))
      .add(nn::GELU())
      .add(nn::GlobalAvgPool2d())
      .add(nn::Flatten())
      .add(nn::Linear({.in = 6, .out = 1, .spectral_norm = true}));
  d.eval();  // the vectors stay
  for (const DType dtype : golden_dtypes) {
    // PyTorch itself is 7.5e-7 off in f32: three convolutions are differentiated twice.
    check_penalties(golden_file("blocks.safetensors"), "residual_penalty", d, names, vectors,
                    "layers.7.bias", dtype, dtype == DType::f64 ? 4e-14 : 4e-6);
  }
}

TEST_CASE("goldens: gradients of gradient penalties") {
  const std::string name = "second_order";
  const auto golden = [](const std::string& key, DType dtype = DType::f64) {
    return kernels::cast(golden_file("layers.safetensors").tensor(key), dtype);
  };
  const auto penalty_of = [](const Var& gx, bool r1) {
    const Var flat = ops::reshape(gx, {gx.size(0), -1});
    const Var squares = ops::sum_to(ops::mul(flat, flat), {gx.size(0), 1});
    if (r1) return ops::scale(ops::sum(squares), 1.0 / static_cast<double>(gx.size(0)));
    const Var off = ops::add(ops::sqrt(squares), Var(Tensor::full({1}, -1, gx.dtype())));
    return ops::mean(ops::mul(off, off));
  };
  for (const DType dtype : golden_dtypes) {
    for (const bool r1 : {true, false}) {
      CAPTURE(dtype);
      CAPTURE(r1);
      nn::Sequential net;
      net.add(nn::ConvBlock({.in = 2,
                             .out = 4,
                             .kernel = 4,
                             .stride = 2,
                             .padding = Padding::same(1),
                             .activation = nn::Activation::leaky_relu,
                             .slope = 0.2}))
          .add(nn::Conv2d({.in = 4, .out = 1, .kernel = 4, .bias = false}))
          .add(nn::Flatten());
      net.to(dtype);
      NamedTensors state = net.state_dict();
      state["layers.0.conv.weight"] = golden(name + ".w1", dtype);
      state["layers.0.norm.weight"] = golden(name + ".gamma", dtype);
      state["layers.0.norm.bias"] = golden(name + ".beta", dtype);
      state["layers.1.weight"] = golden(name + ".w2", dtype);
      net.load_state_dict(state);

      Var x = parameter(golden(name + ".x", dtype));
      const Var logits = net(x);
      check_close("logits", ops::reshape(logits, {3}).tensor(), golden(name + ".logits"),
                  golden_bound(dtype));
      const Var gx = grad({ops::sum(logits)}, {x}, {}, {.create_graph = true})[0];
      check_close("gx", gx.tensor(), golden(name + ".gx"), golden_bound(dtype));
      const Var penalty = penalty_of(gx, r1);
      const std::string key = name + (r1 ? ".r1" : ".gp");
      check_close(key, penalty.tensor(), golden(key), golden_bound(dtype));
      penalty.backward();
      const auto& parameters = net.named_parameters();
      const char* suffixes[] = {"w1", "gamma", nullptr, "w2"};
      REQUIRE(parameters.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) {
        if (!suffixes[i]) continue;  // the shift has no second derivative
        const std::string gradient = key + "_d" + suffixes[i];
        check_close(gradient, parameters[i].second.grad().tensor(), golden(gradient),
                    golden_bound(dtype));
      }
      check_close(key + "_dx", x.grad().tensor(), golden(key + "_dx"), golden_bound(dtype));
    }
  }
}
