#include "nn/spectral_norm.h"

#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/random.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/gemm/gemm.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "nn/safetensors.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

nn::Sequential discriminator() {
  nn::Sequential d;
  d.add(nn::ConvBlock({.in = 2,
                       .out = 4,
                       .kernel = 4,
                       .stride = 2,
                       .padding = Padding::same(1),
                       .bias = true,
                       .batch_norm = false,
                       .spectral_norm = true,
                       .activation = nn::Activation::leaky_relu}))
      .add(nn::Flatten())
      .add(nn::Linear({.in = 4 * 4 * 4, .out = 1, .spectral_norm = true}));
  return d;
}

// The largest singular value of a weight as (rows, rest), by many steps of the power method in f64.
double largest_singular_value(const Tensor& weight, std::int64_t rows) {
  const Tensor w = to_f64(weight);
  const std::int64_t rest = w.numel() / rows;
  std::vector<double> u(static_cast<std::size_t>(rows), 1), v(static_cast<std::size_t>(rest));
  double sigma = 0;
  for (int step = 0; step < 2000; ++step) {
    double length = 0;
    for (std::int64_t j = 0; j < rest; ++j) {
      double sum = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        sum += w.data<double>()[i * rest + j] * u[static_cast<std::size_t>(i)];
      }
      v[static_cast<std::size_t>(j)] = sum;
      length += sum * sum;
    }
    for (double& value : v) value /= std::sqrt(length);
    length = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (std::int64_t j = 0; j < rest; ++j) {
        sum += w.data<double>()[i * rest + j] * v[static_cast<std::size_t>(j)];
      }
      u[static_cast<std::size_t>(i)] = sum;
      length += sum * sum;
    }
    sigma = std::sqrt(length);
    for (double& value : u) value /= sigma;
  }
  return sigma;
}

}  // namespace

TEST_CASE("spectral norm: after many passes the weight that is used has norm 1") {
  manual_seed(1);
  nn::Linear layer({.in = 9, .out = 6, .bias = false, .spectral_norm = true});
  layer.to(DType::f64);
  const Tensor w = layer.weight().tensor();
  const double sigma = largest_singular_value(w, 6);
  const Var x(normals({3, 9}, DType::f64, 5));
  for (int pass = 0; pass < 400; ++pass) layer(x);
  layer.eval();
  const Var plain = ops::matmul(x, Var(w), ops::Transpose::no, ops::Transpose::yes);
  CHECK(largest_error(layer(x).tensor(), ops::scale(plain, 1 / sigma).tensor()) <= 1e-9);
}

TEST_CASE("spectral norm: training improves u and v once a pass, evaluation leaves them alone") {
  manual_seed(2);
  nn::Conv2d layer({.in = 3, .out = 5, .kernel = 3, .spectral_norm = true});
  const auto copy = [&] {
    NamedTensors copied;
    for (const auto& [name, tensor] : layer.state_dict()) copied.emplace(name, tensor.clone());
    return copied;
  };
  const Var x(normals({2, 4, 4, 3}, DType::f32, 1));
  const NamedTensors first = copy();
  CHECK(first.size() == 4);
  CHECK(first.at("weight_u").shape() == Shape({5}));
  CHECK(first.at("weight_v").shape() == Shape({27}));
  CHECK(layer.parameters().size() == 2);
  layer.eval();
  const Var before = layer(x);
  CHECK(same_bits(copy().at("weight_u"), first.at("weight_u")));
  CHECK(same_bits(copy().at("weight_v"), first.at("weight_v")));
  layer.train();
  {
    const NoGrad no_grad;
    layer(x);
  }
  const NamedTensors second = copy();
  CHECK(!same_bits(second.at("weight_u"), first.at("weight_u")));
  layer(x);  // a fresh v comes from the fresh u, so it follows one pass behind
  CHECK(!same_bits(copy().at("weight_u"), second.at("weight_u")));
  CHECK(!same_bits(copy().at("weight_v"), second.at("weight_v")));
  CHECK(same_bits(copy().at("weight_orig"), first.at("weight_orig")));
  // A result of evaluation can still be differentiated.
  ops::sum(before).backward();
  CHECK(layer.weight().grad().defined());
}

TEST_CASE("spectral norm: D(real), D(fake), then the backward of the sum, as the composite") {
  manual_seed(3);
  nn::Sequential d = discriminator();
  d.to(DType::f64);
  const NamedTensors start = d.state_dict();
  NamedTensors copied;
  for (const auto& [name, tensor] : start) copied.emplace(name, tensor.clone());
  const Var real(normals({3, 8, 8, 2}, DType::f64, 1)), fake(normals({3, 8, 8, 2}, DType::f64, 2));

  const Var logits_real = d(real), logits_fake = d(fake);
  ops::add(ops::sum(ops::softplus(ops::neg(logits_real))), ops::sum(ops::softplus(logits_fake)))
      .backward();

  // The same from elementary operations, with u and v as they were in each pass.
  Var w1 = parameter(copied.at("layers.0.conv.weight_orig")),
      b1 = parameter(copied.at("layers.0.conv.bias")),
      w2 = parameter(copied.at("layers.2.weight_orig")), b2 = parameter(copied.at("layers.2.bias"));
  Tensor u1 = copied.at("layers.0.conv.weight_u"), u2 = copied.at("layers.2.weight_u");
  const auto unit = [](const Tensor& x) { return kernels::scale(x, 1 / std::sqrt(dot(x, x))); };
  const auto normalized = [&](const Var& w, Tensor& u) {
    const Var matrix = ops::reshape(w, {w.size(0), -1});
    const Tensor v = unit(kernels::gemm(matrix.tensor(), u.reshape({-1, 1}),
                                        kernels::Transpose::yes, kernels::Transpose::no));
    const Tensor next = unit(kernels::gemm(matrix.tensor(), v));
    u = next;
    const Var sigma = ops::sum(ops::mul(Var(next), ops::matmul(matrix, Var(v))));
    return ops::div(w, sigma);
  };
  const auto composite = [&](const Var& x) {
    const Conv2dParams params{.stride_h = 2, .stride_w = 2, .pad = Padding::same(1)};
    const Var hidden =
        ops::leaky_relu(ops::add(ops::conv2d(x, normalized(w1, u1), params), b1), 0.2);
    return ops::add(ops::matmul(ops::reshape(hidden, {x.size(0), -1}), normalized(w2, u2),
                                ops::Transpose::no, ops::Transpose::yes),
                    b2);
  };
  const Var want_real = composite(real), want_fake = composite(fake);
  ops::add(ops::sum(ops::softplus(ops::neg(want_real))), ops::sum(ops::softplus(want_fake)))
      .backward();
  CHECK(largest_error(logits_real.tensor(), want_real.tensor()) <= 1e-13);
  CHECK(largest_error(logits_fake.tensor(), want_fake.tensor()) <= 1e-13);
  const Vars parameters = d.parameters(), wanted{w1, b1, w2, b2};
  REQUIRE(parameters.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    CHECK(largest(wanted[i].grad().tensor()) > 1e-3);
    CHECK(largest_error(parameters[i].grad().tensor(), wanted[i].grad().tensor()) <= 1e-12);
  }
}

TEST_CASE("spectral norm: first and second derivatives, of weight and input") {
  for (const auto outputs : {nn::Outputs::first, nn::Outputs::last}) {
    manual_seed(4);
    const Shape shape{3, 2, 2, 4};
    Var w = parameter(normals(shape, DType::f64, 1));
    const auto [u, v] = nn::SpectralNorm::start(w.tensor(), outputs);
    const nn::SpectralNorm norm(w, Var(u), Var(v), outputs);
    // Its own vectors stay, so that numeric derivatives see one function.
    const auto f = [&](const Vars&) -> Vars { return {norm(/*improve=*/false)}; };
    const GradcheckResult first = gradcheck(f, {w}), second = gradgradcheck(f, {w});
    CHECK_MESSAGE(first.ok, first.message);
    CHECK_MESSAGE(second.ok, second.message);
  }
  manual_seed(5);
  nn::Sequential d;
  d.add(nn::ConvTranspose2d({.in = 1, .out = 2, .kernel = 2, .stride = 2, .spectral_norm = true}))
      .add(nn::Conv2d({.in = 2, .out = 2, .kernel = 3, .stride = 2, .spectral_norm = true}))
      .add(nn::Flatten())
      .add(nn::Linear({.in = 2, .out = 1, .spectral_norm = true}));
  d.to(DType::f64);
  d.eval();
  const auto through = [&](const Vars& in) -> Vars { return {ops::softplus(d(in[0]))}; };
  Vars inputs{parameter(normals({1, 2, 2, 1}, DType::f64, 9))};
  for (const Var& p : d.parameters()) inputs.push_back(p);
  const GradcheckResult second = gradgradcheck(through, inputs);
  CHECK_MESSAGE(second.ok, second.message);
}

TEST_CASE("spectral norm: a gradient penalty trains, and a resumed run has the same bits") {
  const TemporaryFolder folder;
  const auto train = [](nn::Sequential& d, optim::Adam& adam, std::uint64_t from,
                        std::uint64_t to) {
    for (std::uint64_t t = from; t < to; ++t) {
      adam.zero_grad();
      Var x = parameter(normals({2, 8, 8, 2}, DType::f32, 10 + t));
      const Var logits = d(x);
      const Var gx = grad({ops::sum(logits)}, {x}, {}, {.create_graph = true})[0];
      const Var squares = ops::sum_to(ops::square(ops::reshape(gx, {2, -1})), {2, 1});
      const Var penalty = ops::mean(ops::square(ops::add_scalar(ops::sqrt(squares), -1)));
      ops::add(ops::mean(ops::softplus(logits)), penalty).backward();
      adam.step();
    }
  };
  manual_seed(6);
  nn::Sequential d = discriminator();
  optim::Adam adam(d.parameters(), {.lr = 0.01});
  train(d, adam, 0, 3);
  save(folder / "a", {{"d", d.state_dict()}, {"opt", adam.state_dict()}});
  train(d, adam, 3, 6);

  const SafetensorsFile file = load_safetensors(folder / "a");
  manual_seed(7);
  nn::Sequential again = discriminator();
  optim::Adam resumed(again.parameters(), {.lr = 0.01});
  again.load_state_dict(file.group("d"));
  resumed.load_state_dict(file.group("opt"));
  train(again, resumed, 3, 6);
  for (const auto& [name, tensor] : d.state_dict()) {
    CAPTURE(name);
    CHECK(same_bits(tensor, again.state_dict().at(name)));
  }
}

TEST_CASE("spectral norm: NaN in a weight does not hide") {
  nn::Linear layer({.in = 3, .out = 2, .bias = false, .spectral_norm = true});
  Tensor w = layer.weight().tensor();
  kernels::fill(w, std::nan(""));
  const Tensor y = layer(Var(Tensor::full({1, 3}, 1.0))).tensor();
  CHECK(std::isnan(to_f64(y).data<double>()[0]));
}
