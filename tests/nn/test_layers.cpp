#include "nn/layers.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "nn/init.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

struct Moments {
  double mean = 0, deviation = 0, low = 0, high = 0;
};

Moments moments(const Tensor& t) {
  const Tensor x = to_f64(t);
  const double* p = x.data<double>();
  const auto n = static_cast<double>(x.numel());
  Moments m{.mean = 0, .deviation = 0, .low = p[0], .high = p[0]};
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    m.mean += p[i] / n;
    m.low = std::fmin(m.low, p[i]);
    m.high = std::fmax(m.high, p[i]);
  }
  for (std::int64_t i = 0; i < x.numel(); ++i) m.deviation += (p[i] - m.mean) * (p[i] - m.mean) / n;
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// sum(w * y), so that every output element has a gradient of its own.
Var weighted_sum(const Var& y) {
  return ops::sum(ops::mul(y, Var(normals(y.shape(), y.dtype(), 77))));
}

}  // namespace

TEST_CASE("Dropout: drops the stated part, scales the rest, keeps the mean") {
  manual_seed(5);
  nn::Dropout dropout({.p = 0.3});
  const Tensor y = dropout(Var(Tensor::full({200'000}, 1))).tensor();
  std::int64_t zeros = 0;
  const Tensor host = y.to(Device::cpu());
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    const float value = host.data<float>()[i];
    if (value == 0) {
      zeros += 1;
    } else {
      REQUIRE(std::abs(value - 1 / 0.7f) <= 1e-6f);
    }
  }
  // Five standard deviations of a binomial count.
  CHECK(std::abs(static_cast<double>(zeros) - 60'000) < 5 * std::sqrt(200'000 * 0.3 * 0.7));
  CHECK(std::abs(moments(y).mean - 1) < 0.01);
}

TEST_CASE("Dropout: a function of seed, step and draw; each forward is another draw") {
  nn::Dropout dropout({.p = 0.5});
  const Var x(Tensor::full({1000}, 1));
  manual_seed(5);
  const Tensor a = dropout(x).tensor(), b = dropout(x).tensor();
  CHECK(!same_bits(a, b));
  manual_seed(5);
  CHECK(same_bits(dropout(x).tensor(), a));
  CHECK(same_bits(dropout(x).tensor(), b));
  Context::current().generator.begin_step(1);
  CHECK(!same_bits(dropout(x).tensor(), a));
  manual_seed(6);
  CHECK(!same_bits(dropout(x).tensor(), a));
}

TEST_CASE("Dropout: the gradient passes where the value passed; evaluation is the identity") {
  manual_seed(5);
  nn::Dropout dropout({.p = 0.5});
  Var x = parameter(Tensor::full({1000}, 1));
  const Var y = dropout(x);
  ops::sum(y).backward();
  CHECK(same_bits(x.grad().tensor(), y.tensor()));
  dropout.eval();
  const auto draw = Context::current().generator.next_draw;
  CHECK(same_bits(dropout(x).tensor(), x.tensor()));
  CHECK(Context::current().generator.next_draw == draw);
  CHECK_THROWS_AS(nn::Dropout({.p = 1}), Error);
  CHECK_THROWS_AS(nn::Dropout({.p = -0.1}), Error);
  CHECK_THROWS_AS(nn::Dropout({.p = std::nan("")}), Error);
}

TEST_CASE("BatchNorm2d: statistics of groups are as if each part came alone") {
  const Tensor x = normals({6, 3, 2, 5}, DType::f64, 1);
  nn::BatchNorm2d together({.channels = 5}), apart({.channels = 5});
  together.to(DType::f64);
  apart.to(DType::f64);
  nn::set_stat_groups(together, 2);
  const Tensor y = together(Var(x)).tensor();
  const Tensor first = apart(Var(x.slice(0, 3))).tensor(),
               second = apart(Var(x.slice(3, 6))).tensor();
  CHECK(same_bits(y.slice(0, 3).clone(), first));
  CHECK(same_bits(y.slice(3, 6).clone(), second));
  CHECK(same_bits(together.running_mean().tensor(), apart.running_mean().tensor()));
  CHECK(same_bits(together.running_var().tensor(), apart.running_var().tensor()));
}

TEST_CASE("BatchNorm2d: evaluation keeps the running averages") {
  nn::BatchNorm2d norm({.channels = 3});
  norm(Var(normals({4, 2, 2, 3}, DType::f32, 1)));
  const Tensor mean = norm.running_mean().tensor().clone();
  norm.eval();
  norm(Var(normals({4, 2, 2, 3}, DType::f32, 2)));
  CHECK(same_bits(norm.running_mean().tensor(), mean));
  norm.train();
  norm(Var(normals({4, 2, 2, 3}, DType::f32, 2)));
  CHECK(!same_bits(norm.running_mean().tensor(), mean));
  CHECK(contains(error_of([&] { norm(Var(Tensor::zeros({4, 3, 2, 2}))); }), "expects (N, ..., 3)"));
  CHECK_THROWS_AS(nn::BatchNorm2d({.channels = 3, .momentum = 1.5}), Error);
  CHECK_THROWS_AS(nn::BatchNorm2d({.channels = 3, .eps = 0}), Error);
  CHECK_THROWS_AS(norm.set_stat_groups(0), Error);
}

TEST_CASE("ConvBlock equals its composite, values, gradients and statistics") {
  using nn::Activation;
  for (const bool transposed : {false, true}) {
    for (const bool batch_norm : {false, true}) {
      for (const Activation activation :
           {Activation::none, Activation::relu, Activation::leaky_relu, Activation::tanh,
            Activation::sigmoid, Activation::gelu, Activation::silu}) {
        for (const bool training : {true, false}) {
          CAPTURE(transposed);
          CAPTURE(batch_norm);
          CAPTURE(static_cast<int>(activation));
          CAPTURE(training);
          manual_seed(3);
          nn::ConvBlock block({.in = 3,
                               .out = 4,
                               .kernel = 4,
                               .stride = 2,
                               .padding = Padding::same(1),
                               .transposed = transposed,
                               .bias = !batch_norm,
                               .batch_norm = batch_norm,
                               .eps = 1e-4,
                               .momentum = 0.3,
                               .activation = activation,
                               .slope = 0.25});
          nn::init_dcgan(block);
          nn::Sequential parts;
          if (transposed) {
            parts.add(nn::ConvTranspose2d({.in = 3,
                                           .out = 4,
                                           .kernel = 4,
                                           .stride = 2,
                                           .padding = Padding::same(1),
                                           .bias = !batch_norm}));
          } else {
            parts.add(nn::Conv2d({.in = 3,
                                  .out = 4,
                                  .kernel = 4,
                                  .stride = 2,
                                  .padding = Padding::same(1),
                                  .bias = !batch_norm}));
          }
          if (batch_norm) parts.add(nn::BatchNorm2d({.channels = 4, .eps = 1e-4, .momentum = 0.3}));
          if (activation == Activation::relu) parts.add(nn::ReLU());
          if (activation == Activation::leaky_relu) parts.add(nn::LeakyReLU({.slope = 0.25}));
          if (activation == Activation::tanh) parts.add(nn::Tanh());
          if (activation == Activation::sigmoid) parts.add(nn::Sigmoid());
          if (activation == Activation::gelu) parts.add(nn::GELU());
          if (activation == Activation::silu) parts.add(nn::SiLU());
          // The same values under the names of the other.
          NamedTensors state;
          for (const auto& [name, tensor] : block.state_dict()) {
            state.emplace((name.starts_with("conv") ? "layers.0" : "layers.1") + name.substr(4),
                          tensor);
          }
          parts.load_state_dict(state);
          block.train(training);
          parts.train(training);

          const Tensor input = normals({2, 6, 6, 3}, DType::f32, 1);
          Var x1 = parameter(input.clone()), x2 = parameter(input.clone());
          const Var y1 = block(x1), y2 = parts(x2);
          CHECK(largest_error(y1.tensor(), y2.tensor()) == 0);
          CHECK(largest(y1.tensor()) > 0);
          weighted_sum(y1).backward();
          weighted_sum(y2).backward();
          CHECK(largest_error(x1.grad().tensor(), x2.grad().tensor()) <=
                1e-6 * largest(x2.grad().tensor()));
          const Vars p = block.parameters(), q = parts.parameters();
          REQUIRE(p.size() == q.size());
          for (std::size_t i = 0; i < p.size(); ++i) {
            CHECK(largest_error(p[i].grad().tensor(), q[i].grad().tensor()) <=
                  1e-6 * largest(q[i].grad().tensor()));
          }
          const auto a = block.named_buffers(), b = parts.named_buffers();
          REQUIRE(a.size() == b.size());
          for (std::size_t i = 0; i < a.size(); ++i) {
            CHECK(same_bits(a[i].second.tensor(), b[i].second.tensor()));
          }
        }
      }
    }
  }
}

TEST_CASE("ConvBlock: names and options") {
  nn::ConvBlock block({.in = 3, .out = 4, .kernel = 3, .activation = nn::Activation::relu});
  const NamedTensors state = block.state_dict();
  CHECK(state.size() == 5);
  CHECK(state.at("conv.weight").shape() == Shape{4, 3, 3, 3});
  CHECK(state.contains("norm.weight"));
  CHECK(state.contains("norm.running_var"));
  nn::set_stat_groups(block, 2);
  CHECK(block.norm().stat_groups() == 2);
  CHECK_THROWS_AS(nn::ConvBlock({.in = 3, .out = 4, .kernel = 3, .output_padding = 1}), Error);
  nn::ConvBlock plain({.in = 3, .out = 4, .kernel = 3, .batch_norm = false});
  CHECK_THROWS_AS(plain.norm(), Error);
}

TEST_CASE("init: first values have the stated distributions") {
  manual_seed(9);
  // As in PyTorch: uniform in +-1 / sqrt(fan in).
  nn::Linear linear({.in = 400, .out = 300});
  for (const Var& v : linear.parameters()) {
    const Moments m = moments(v.tensor());
    CHECK(m.low >= -0.05);
    CHECK(m.high < 0.05);
    CHECK(std::abs(m.mean) < 0.006);
  }
  const Moments wide = moments(linear.weight().tensor());
  CHECK(wide.low < -0.0499);
  CHECK(wide.high > 0.0499);
  CHECK(std::abs(wide.deviation - 0.05 / std::sqrt(3)) < 1e-3 * 0.05);
  nn::Conv2d grouped({.in = 16, .out = 32, .kernel = 3, .groups = 4});
  CHECK(moments(grouped.weight().tensor()).high <= 1.0 / 6);
  CHECK(moments(grouped.weight().tensor()).high > 0.16);
  nn::ConvTranspose2d up({.in = 32, .out = 4, .kernel = 3});
  CHECK(moments(up.weight().tensor()).high <= 1.0 / 6);
  CHECK(moments(up.weight().tensor()).high > 0.16);

  nn::Sequential net;
  net.add(nn::ConvBlock({.in = 64, .out = 256, .kernel = 4, .bias = true}));
  net.add(nn::ConvTranspose2d({.in = 256, .out = 64, .kernel = 4}));
  net.add(nn::Linear({.in = 500, .out = 200}));
  nn::init_dcgan(net);
  const NamedTensors dcgan = net.state_dict();
  for (const char* name : {"layers.0.conv.weight", "layers.1.weight", "layers.2.weight"}) {
    CAPTURE(name);
    const Moments m = moments(dcgan.at(name));
    CHECK(std::abs(m.mean) < 3e-4);
    CHECK(std::abs(m.deviation - 0.02) < 3e-4);
    CHECK(m.high > 0.06);  // beyond any uniform of that deviation
  }
  const Moments gamma = moments(dcgan.at("layers.0.norm.weight"));
  CHECK(std::abs(gamma.mean - 1) < 5e-3);
  CHECK(std::abs(gamma.deviation - 0.02) < 4e-3);
  for (const char* name :
       {"layers.0.conv.bias", "layers.0.norm.bias", "layers.1.bias", "layers.2.bias"}) {
    CHECK(largest(dcgan.at(name)) == 0);
  }

  nn::init_glorot_uniform(net);
  const auto check_glorot = [&](const char* name, double fans) {
    CAPTURE(name);
    const double bound = std::sqrt(6 / fans);
    const Moments m = moments(dcgan.at(name));  // shares memory with the network
    CHECK(m.low >= -bound);
    CHECK(m.high < bound);
    CHECK(m.high > 0.999 * bound);
    CHECK(std::abs(m.deviation - bound / std::sqrt(3)) < 0.005 * bound);
  };
  check_glorot("layers.0.conv.weight", 16 * (64 + 256));
  check_glorot("layers.1.weight", 16 * (64 + 256));
  check_glorot("layers.2.weight", 700);
  CHECK(same_bits(dcgan.at("layers.0.norm.weight"), Tensor::full({256}, 1)));
}

TEST_CASE("init: a function of the seed, and every tensor another draw") {
  const auto make = [](std::uint64_t seed) {
    manual_seed(seed);
    nn::Sequential net;
    net.add(nn::Linear({.in = 8, .out = 8})).add(nn::Linear({.in = 8, .out = 8}));
    return net;
  };
  nn::Sequential a = make(1), b = make(1), c = make(2);
  CHECK(same_bits(a.parameters()[0].tensor(), b.parameters()[0].tensor()));
  CHECK(same_bits(a.parameters()[3].tensor(), b.parameters()[3].tensor()));
  CHECK(!same_bits(a.parameters()[0].tensor(), c.parameters()[0].tensor()));
  CHECK(!same_bits(a.parameters()[0].tensor(), a.parameters()[2].tensor()));
  manual_seed(1);
  nn::init_dcgan(a);
  manual_seed(1);
  b.to(DType::f64);
  nn::init_dcgan(b);
  CHECK(largest_error(a.parameters()[0].tensor(), b.parameters()[0].tensor()) == 0);
}
