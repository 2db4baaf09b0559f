// Layers, losses, Adam and second derivatives against PyTorch: tests/goldens/layers.safetensors.
#include <doctest/doctest.h>

#include <functional>

#include "autograd/engine.h"
#include "autograd/ops/add.h"
#include "autograd/ops/conv2d.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/log.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/sum_to.h"
#include "golden_checks.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/optim.h"

using namespace imago;
using namespace imago::test;

namespace {

const SafetensorsFile& goldens() {
  static const SafetensorsFile file = load_goldens("layers.safetensors");
  return file;
}

Tensor golden(const std::string& name, DType dtype = DType::f64) {
  return kernels::cast(goldens().tensor(name), dtype);
}

void check_batch_norm(const std::string& name, nn::Module&& layer, bool changes = true,
                      const std::string& var_after = "var", const std::string& prefix = "") {
  const std::string mean = prefix + "running_mean", var = prefix + "running_var";
  check_layer(goldens(), name, std::move(layer),
              {{prefix + "weight", "gamma"}, {prefix + "bias", "beta"}},
              {{mean, "mean_in"}, {var, "var_in"}},
              {{mean, changes ? "mean" : "mean_in"}, {var, changes ? var_after : "var_in"}});
}

}  // namespace

TEST_CASE("goldens: Linear") {
  check_layer(goldens(), "linear", nn::Linear({.in = 7, .out = 4}));
  nn::Sequential net;
  net.add(nn::Flatten()).add(nn::Linear({.in = 60, .out = 6}));
  check_layer(goldens(), "flatten_linear", std::move(net),
              {{"layers.1.weight", "w"}, {"layers.1.bias", "b"}});
}

TEST_CASE("goldens: Conv2d") {
  check_layer(
      goldens(), "conv2d",
      nn::Conv2d({.in = 3, .out = 5, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
  check_layer(goldens(), "conv2d_asymmetric",
              nn::Conv2d({.in = 3,
                          .out = 4,
                          .kernel = 3,
                          .stride = 2,
                          .padding = {.top = 0, .bottom = 1, .left = 2, .right = 1}}));
  // The layer has one stride for both axes; the operation has two.
  const Conv2dParams params{.stride_h = 1,
                            .stride_w = 2,
                            .pad = Padding::same(2),
                            .dilation_h = 2,
                            .dilation_w = 2,
                            .groups = 2};
  check_function(goldens(), "conv2d_groups", {"x", "w", "b"},
                 [&](const Vars& v) { return ops::add(ops::conv2d(v[0], v[1], params), v[2]); });
}

TEST_CASE("goldens: ConvTranspose2d") {
  check_layer(goldens(), "conv_transpose2d",
              nn::ConvTranspose2d(
                  {.in = 5, .out = 3, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
  check_layer(goldens(), "conv_transpose2d_extra",
              nn::ConvTranspose2d({.in = 4,
                                   .out = 2,
                                   .kernel = 3,
                                   .stride = 2,
                                   .padding = Padding::same(1),
                                   .output_padding = 1}));
  check_layer(goldens(), "conv_transpose2d_groups",
              nn::ConvTranspose2d({.in = 4,
                                   .out = 6,
                                   .kernel = 3,
                                   .stride = 2,
                                   .padding = Padding::same(1),
                                   .dilation = 2,
                                   .groups = 2}));
  check_layer(goldens(), "conv_transpose2d_same",
              nn::ConvTranspose2d({.in = 3,
                                   .out = 2,
                                   .kernel = 3,
                                   .stride = 2,
                                   .padding = {.top = 0, .bottom = 1, .left = 0, .right = 1}}));
  check_layer(goldens(), "conv_transpose2d_1x1",
              nn::ConvTranspose2d({.in = 6, .out = 5, .kernel = 4}));
}

TEST_CASE("goldens: BatchNorm2d") {
  check_batch_norm("batch_norm", nn::BatchNorm2d({.channels = 5}));
  check_batch_norm("batch_norm_2d", nn::BatchNorm2d({.channels = 5}));
  check_batch_norm("batch_norm_keras",
                   nn::BatchNorm2d({.channels = 5, .eps = 1e-3, .momentum = 0.01}));
  check_batch_norm(
      "batch_norm_keras",
      nn::BatchNorm2d({.channels = 5, .eps = 1e-3, .momentum = 0.01, .unbiased = false}), true,
      "var_biased");
  nn::BatchNorm2d groups({.channels = 5});
  groups.set_stat_groups(2);
  check_batch_norm("batch_norm_groups", std::move(groups));
  nn::BatchNorm2d eval({.channels = 5});
  eval.eval();
  check_batch_norm("batch_norm_eval", std::move(eval), false);
  nn::Sequential composite;
  composite.add(nn::BatchNorm2d({.channels = 5})).add(nn::LeakyReLU({.slope = 0.2}));
  check_batch_norm("batch_norm_lrelu", std::move(composite), true, "var", "layers.0.");
}

TEST_CASE("goldens: the fused batch norm of ConvBlock") {
  // A 1x1 convolution with the identity as weight leaves the batch norm and its activation.
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    nn::ConvBlock block(
        {.in = 5, .out = 5, .kernel = 1, .activation = nn::Activation::leaky_relu, .slope = 0.2});
    block.to(dtype);
    Tensor identity = Tensor::empty({5, 1, 1, 5}, DType::f64, Device::cpu());
    for (int i = 0; i < 25; ++i) identity.mutable_data<double>()[i] = i % 6 == 0 ? 1 : 0;
    const std::string name = "batch_norm_lrelu";
    block.load_state_dict({{"conv.weight", kernels::cast(identity, dtype)},
                           {"norm.weight", golden(name + ".gamma", dtype)},
                           {"norm.bias", golden(name + ".beta", dtype)},
                           {"norm.running_mean", golden(name + ".mean_in", dtype)},
                           {"norm.running_var", golden(name + ".var_in", dtype)}});
    Var x = parameter(golden(name + ".x", dtype));
    const Var y = block(x);
    y.backward(Var(golden(name + ".dy", dtype)));
    const nn::BatchNorm2d& norm = block.norm();
    check_close("y", y.tensor(), golden(name + ".y"), golden_bound(dtype));
    check_close("dx", x.grad().tensor(), golden(name + ".dx"), golden_bound(dtype));
    check_close("dgamma", norm.weight().grad().tensor(), golden(name + ".dgamma"),
                golden_bound(dtype));
    check_close("dbeta", norm.bias().grad().tensor(), golden(name + ".dbeta"), golden_bound(dtype));
    check_close("mean", norm.running_mean().tensor(), golden(name + ".mean"), golden_bound(dtype));
    check_close("var", norm.running_var().tensor(), golden(name + ".var"), golden_bound(dtype));
  }
}

TEST_CASE("goldens: activations") {
  check_layer(goldens(), "relu", nn::ReLU(), {});
  check_layer(goldens(), "leaky_relu", nn::LeakyReLU({.slope = 0.2}), {});
  check_layer(goldens(), "tanh", nn::Tanh(), {});
  check_layer(goldens(), "sigmoid", nn::Sigmoid(), {});
  check_function(goldens(), "softplus", {"x"}, [](const Vars& v) { return ops::softplus(v[0]); });
  check_function(goldens(), "exp", {"x"}, [](const Vars& v) { return ops::exp(v[0]); });
  check_function(goldens(), "log", {"x"}, [](const Vars& v) { return ops::log(v[0]); });
}

TEST_CASE("goldens: losses") {
  const auto check_loss = [](const std::string& name, const std::function<Var(Var, Var)>& f) {
    for (const DType dtype : golden_dtypes) {
      CAPTURE(dtype);
      Var x = parameter(golden(name + ".x", dtype));
      const Var loss = f(x, Var(golden(name + ".target", dtype)));
      loss.backward();
      check_close(name + ".loss", loss.tensor(), golden(name + ".loss"), golden_bound(dtype));
      check_close(name + ".dx", x.grad().tensor(), golden(name + ".dx"), golden_bound(dtype));
    }
  };
  check_loss("bce_logits", [](const Var& a, const Var& b) { return loss::bce_with_logits(a, b); });
  check_loss("mse", loss::mse);
  check_loss("l1", loss::l1);
}

TEST_CASE("goldens: GAN losses") {
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    Var real = parameter(golden("gan.real", dtype)), fake = parameter(golden("gan.fake", dtype));
    const auto run = [&](const std::string& name, const Var& value,
                         const std::vector<std::pair<Var, std::string>>& gradients) {
      value.backward();
      check_close("gan." + name, value.tensor(), golden("gan." + name), golden_bound(dtype));
      for (const auto& [leaf, key] : gradients) {
        check_close("gan." + key, leaf.grad().tensor(), golden("gan." + key), golden_bound(dtype));
      }
      real.zero_grad();
      fake.zero_grad();
    };
    run("loss_d", loss::gan_d(real, fake), {{real, "d_real"}, {fake, "d_fake"}});
    run("loss_g", loss::gan_g(fake), {{fake, "g_fake"}});
    run("loss_g_minimax", loss::gan_g_minimax(fake), {{fake, "g_minimax_fake"}});
  }
}

TEST_CASE("goldens: Adam") {
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    Var p = parameter(golden("adam.p0", dtype).clone());
    optim::Adam adam({p}, {.lr = 0.01, .beta1 = 0.5, .beta2 = 0.999, .eps = 1e-8});
    for (int step = 0; step < 10; ++step) {
      CAPTURE(step);
      const auto row = [&](const char* name, DType t) {
        return golden(name, t).slice(step, step + 1).reshape({6}).clone();
      };
      p.zero_grad();
      ops::sum(ops::mul(p, Var(row("adam.grads", dtype)))).backward();
      adam.step();
      check_close("adam.p", p.tensor(), row("adam.p", DType::f64), golden_bound(dtype));
      check_close("adam.m", adam.state_dict().at("m.0"), row("adam.m", DType::f64),
                  golden_bound(dtype));
      check_close("adam.v", adam.state_dict().at("v.0"), row("adam.v", DType::f64),
                  golden_bound(dtype));
    }
  }
}

TEST_CASE("goldens: gradients of gradient penalties") {
  const std::string name = "second_order";
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
