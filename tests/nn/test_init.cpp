#include "nn/init.h"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/layers.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

struct Moments {
  double mean = 0, deviation = 0, most = 0;
};

Moments moments_of(const Tensor& t) {
  const Tensor x = to_f64(t);
  const auto n = static_cast<double>(x.numel());
  Moments m;
  for (std::int64_t i = 0; i < x.numel(); ++i) m.mean += x.data<double>()[i] / n;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double off = x.data<double>()[i] - m.mean;
    m.deviation += off * off / n;
    m.most = std::fmax(m.most, std::fabs(x.data<double>()[i]));
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// |Q Q^T - gain^2 I| of the weight as a matrix (first, rest), or Q^T Q where that is the smaller.
double off_orthogonal(const Tensor& weight, double gain) {
  const Tensor q = to_f64(weight);
  const std::int64_t rows = q.size(0), columns = q.numel() / rows;
  const bool wide = rows <= columns;
  const std::int64_t n = wide ? rows : columns, length = wide ? columns : rows;
  const auto at = [&](std::int64_t vector, std::int64_t i) {
    return q.data<double>()[wide ? vector * columns + i : i * columns + vector];
  };
  double worst = 0;
  for (std::int64_t a = 0; a < n; ++a) {
    for (std::int64_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (std::int64_t i = 0; i < length; ++i) sum += at(a, i) * at(b, i);
      const double error = std::fabs(sum - (a == b ? gain * gain : 0));
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

Var weight_of(const Shape& shape, DType dtype = DType::f32) {
  return parameter(Tensor::zeros(shape, dtype));
}

}  // namespace

TEST_CASE("init: fans and gains") {
  CHECK(nn::fan_of({5, 7}, nn::Fan::in) == 7);
  CHECK(nn::fan_of({5, 7}, nn::Fan::out) == 5);
  CHECK(nn::fan_of({5, 3, 4, 7}, nn::Fan::in) == 84);
  CHECK(nn::fan_of({5, 3, 4, 7}, nn::Fan::out) == 60);
  CHECK_THROWS_AS(nn::fan_of({5}, nn::Fan::in), Error);
  CHECK(nn::gain_of(nn::Activation::none) == 1);
  CHECK(nn::gain_of(nn::Activation::sigmoid) == 1);
  CHECK(nn::gain_of(nn::Activation::relu) == std::sqrt(2.0));
  CHECK(nn::gain_of(nn::Activation::leaky_relu, 0) == std::sqrt(2.0));
  CHECK(nn::gain_of(nn::Activation::leaky_relu, 1) == 1);
  CHECK(nn::gain_of(nn::Activation::tanh) == 5.0 / 3);
}

TEST_CASE("init: Kaiming and Xavier have the deviations of the papers") {
  manual_seed(1);
  // 36864 numbers: a deviation is met to 0.4 per cent (one sigma).
  const Shape shape{64, 3, 3, 64};
  const double fan_in = 9 * 64, fan_out = 9 * 64;
  const auto check_moments = [](const Var& w, double deviation, bool uniform) {
    const Moments m = moments_of(w.tensor());
    CHECK(std::fabs(m.mean) <= 0.03 * deviation);
    CHECK(std::fabs(m.deviation / deviation - 1) <= 0.02);
    const double edge = std::sqrt(3.0) * deviation;
    if (uniform) {
      CHECK(m.most <= edge * 1.000001);
      CHECK(m.most >= edge * 0.999);
    } else {
      CHECK(m.most >= edge * 1.5);
    }
  };
  Var w = weight_of(shape);
  nn::kaiming_normal(w);
  check_moments(w, std::sqrt(2 / fan_in), false);
  nn::kaiming_uniform(w, {.slope = 1});
  check_moments(w, std::sqrt(1 / fan_in), true);
  Var wide = weight_of({16, 3, 3, 256});
  nn::kaiming_normal(wide, {.fan = nn::Fan::out, .slope = 0.2});
  check_moments(wide, std::sqrt(2 / 1.04 / (9 * 16)), false);
  nn::xavier_normal(wide, 3);
  check_moments(wide, 3 * std::sqrt(2.0 / (9 * 16 + 9 * 256)), false);
  nn::xavier_uniform(w);
  check_moments(w, std::sqrt(2 / (fan_in + fan_out)), true);
}

TEST_CASE("init: truncated normals stay within their bound and keep the shape of a normal") {
  manual_seed(2);
  Var w = weight_of({200, 200});
  nn::fill_truncated_normal(w, 3, 0.5);
  const Moments m = moments_of(w.tensor());
  CHECK(std::fabs(m.mean - 3) <= 0.01);
  // A normal cut at 2 deviations has 0.8796 of its deviation.
  CHECK(std::fabs(m.deviation / (0.5 * 0.8796) - 1) <= 0.02);
  CHECK(m.most <= 4.000001);
  CHECK(m.most >= 3.99);
  nn::fill_truncated_normal(w, 0, 1, 0.5);
  CHECK(moments_of(w.tensor()).most <= 0.500001);
  CHECK_THROWS_AS(nn::fill_truncated_normal(w, 0, 1, 0), Error);
  CHECK_THROWS_AS(nn::fill_truncated_normal(w, 0, 1, std::nan("")), Error);
}

TEST_CASE("init: truncated normals within narrow bounds, down to the tiniest") {
  manual_seed(5);
  Var w = weight_of({200, 200}, DType::f64);
  // The variance of a normal cut at b is 1 - 2 b phi(b) / (2 Phi(b) - 1).
  for (const double bound : {1e-30, 1e-4, 0.1, 0.499, 0.501, 1.0}) {
    CAPTURE(bound);
    nn::fill_truncated_normal(w, 0, 1 / bound, bound);
    const Moments m = moments_of(w.tensor());  // over the bound
    const double pi = std::acos(-1.0), density = std::exp(-bound * bound / 2) / std::sqrt(2 * pi);
    const double variance =
        bound < 1e-2
            ? 1.0 / 3
            : (1 - 2 * bound * density / std::erf(bound / std::sqrt(2.0))) / (bound * bound);
    CHECK(std::fabs(m.mean) <= 0.01);
    CHECK(std::fabs(m.deviation / std::sqrt(variance) - 1) <= 0.01);
    CHECK(m.most <= 1.000001);
    CHECK(m.most >= 0.999);
  }
  nn::fill_truncated_normal(w, 3, 1, 1e-300);  // below the smallest f32
  CHECK(moments_of(w.tensor()).most == 3);
}

TEST_CASE("init: orthogonal rows, or columns where there are fewer") {
  manual_seed(3);
  for (const Shape& shape : {Shape{7, 19}, Shape{19, 7}, Shape{12, 12}, Shape{1, 5}, Shape{5, 1},
                             Shape{16, 4, 4, 3}, Shape{100, 2, 2, 3}}) {
    CAPTURE(shape);
    Var w = weight_of(shape, DType::f64);
    nn::orthogonal(w, 1.5);
    CHECK(off_orthogonal(w.tensor(), 1.5) <= 1e-13);
    Var single = weight_of(shape);
    nn::orthogonal(single);
    CHECK(off_orthogonal(single.tensor(), 1) <= 1e-6);
  }
  CHECK_THROWS_AS(nn::orthogonal(weight_of({3})), Error);
}

TEST_CASE("init: orthogonal matrices are uniform: no sign and no direction is preferred") {
  manual_seed(4);
  // Of a uniform orthogonal (n, n) matrix every entry has mean 0 and variance 1 / n. A QR
  // factorisation whose signs are left alone has negative diagonals far more often.
  const int n = 3, draws = 2000;
  double mean[9] = {}, square[9] = {};
  for (int i = 0; i < draws; ++i) {
    Var w = weight_of({n, n}, DType::f64);
    nn::orthogonal(w);
    const Tensor q = to_f64(w.tensor());
    for (int j = 0; j < n * n; ++j) {
      mean[j] += q.data<double>()[j] / draws;
      square[j] += q.data<double>()[j] * q.data<double>()[j] / draws;
    }
  }
  for (int j = 0; j < n * n; ++j) {
    CHECK(std::fabs(mean[j]) <= 4 * std::sqrt(1.0 / n / draws));
    CHECK(std::fabs(square[j] - 1.0 / n) <= 0.03);
  }
}

TEST_CASE("init: orthogonal has the same bits for any number of threads") {
  const ContextScope scope;
  std::vector<Tensor> results;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    manual_seed(5);
    Var w = weight_of({24, 2, 2, 300});
    nn::orthogonal(w);
    results.push_back(w.tensor());
  }
  CHECK(same_bits(results[1], results[0]));
  CHECK(same_bits(results[2], results[0]));
}

TEST_CASE("init: all weights of a module, biases and batch norm as they should start") {
  manual_seed(6);
  nn::Sequential net;
  net.add(nn::ConvBlock({.in = 3, .out = 8, .kernel = 3, .bias = true}))
      .add(nn::ConvTranspose2d({.in = 8, .out = 4, .kernel = 2, .spectral_norm = true}))
      .add(nn::Flatten())
      .add(nn::Linear({.in = 16, .out = 5}));
  for (Var& p : net.parameters()) nn::fill_normal(p, 7, 1);
  nn::init_weights(net, [](const Var& w) { nn::orthogonal(w, 0.5); });
  int weights = 0;
  for (const auto& [name, p] : net.named_parameters()) {
    CAPTURE(name);
    if (p.dim() > 1) {
      ++weights;
      CHECK(off_orthogonal(p.tensor(), 0.5) <= 1e-6);
    } else {
      const bool scale = name == "layers.0.norm.weight";
      CHECK(same_bits(p.tensor(), Tensor::full(p.shape(), scale ? 1 : 0)));
    }
  }
  CHECK(weights == 3);
}
