// The terms of a VAE: closed forms against sums by hand, against samples, and their derivatives. On
// the device of the Context, so that the program started with --device=cuda repeats it there.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>

#include "autograd/gradcheck.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "kernels/random/random.h"
#include "nn/vae_loss.h"
#include "tests/kernels/random.h"
#include "tests/support/declarations.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::test;

namespace {

constexpr double log_two_pi = 1.83787706640934548356;

// Element i of a tensor on any device.
double at(const Var& x, std::int64_t i) {
  return to_f64(x.tensor()).data<double>()[i];
}

Var leaf(const Shape& shape, std::uint64_t seed) {
  return parameter(normals(shape, DType::f64, seed));
}

struct VaeLossCase {
  std::string function;
  Differentiable f;
  Vars inputs;
};

std::vector<VaeLossCase> cases() {
  const Tensor pixels = kernels::uniform({3, 2, 2, 3}, DType::f64, {4, 0, 0});
  // KL of (3, 4): the first two latents stay below 0.8 nats on average, the others above.
  const Var kl = parameter(
      Tensor::from<double>({0.1, 0.5, 1.1, 2.0, 0.3, 0.2, 0.9, 1.7, 0.2, 0.9, 1.3, 0.6}, {3, 4}));
  return {
      {"reparameterise",
       [](const Vars& v) { return Vars{loss::reparameterise(v[0], v[1], v[2])}; },
       {leaf({3, 4}, 1), leaf({3, 4}, 2), leaf({3, 4}, 3)}},
      {"gaussian_kl",
       [](const Vars& v) { return Vars{loss::gaussian_kl(v[0], v[1])}; },
       {leaf({3, 4}, 1), leaf({3, 4}, 2)}},
      {"kl_per_image", [](const Vars& v) { return Vars{loss::kl_per_image(v[0])}; }, {kl}},
      {"kl_per_image", [](const Vars& v) { return Vars{loss::kl_per_image(v[0], 0.8)}; }, {kl}},
      {"gaussian_log_likelihood",
       [](const Vars& v) { return Vars{loss::gaussian_log_likelihood(v[0], v[1], v[2])}; },
       {leaf({3, 2, 2, 3}, 5), leaf({3, 2, 2, 3}, 6), leaf({}, 7)}},
      {"bernoulli_log_likelihood",
       [pixels](const Vars& v) { return Vars{loss::bernoulli_log_likelihood(pixels, v[0])}; },
       {leaf({3, 2, 2, 3}, 8)}},
      {"to_unit_range",
       [](const Vars& v) { return Vars{loss::to_unit_range(v[0])}; },
       {leaf({2, 3}, 9)}},
      {"standard_normal_log_density",
       [](const Vars& v) { return Vars{loss::standard_normal_log_density(v[0])}; },
       {leaf({3, 4}, 10)}},
      {"iwae_bound",
       [](const Vars& v) { return Vars{loss::iwae_bound(v[0])}; },
       {leaf({5, 2}, 11)}},
  };
}

}  // namespace

TEST_CASE("every term of a VAE passes gradcheck and gradgradcheck, and none lacks a case") {
  std::set<std::string> tested;
  for (const VaeLossCase& c : cases()) {
    INFO(c.function);
    tested.insert(c.function);
    const GradcheckResult first = gradcheck(c.f, c.inputs);
    INFO(first.message);
    CHECK(first.ok);
    const GradcheckResult second = gradgradcheck(c.f, c.inputs);
    INFO(second.message);
    CHECK(second.ok);
  }
  std::set<std::string> declared;
  for (const Declaration& f : declared_functions(read_bytes(IMAGO_SOURCE_DIR "/nn/vae_loss.h"))) {
    declared.insert(f.name);
  }
  CHECK(declared == tested);
}

TEST_CASE("the KL from the prior: 0 at the prior, the formula elsewhere") {
  const Var zero = Var(Tensor::full({2, 3}, 0, DType::f64));
  CHECK(largest(loss::gaussian_kl(zero, zero).tensor()) == 0);
  const Var mu = Var(Tensor::from<double>({1.5, -2, 0.25}, {1, 3}));
  const Var log_variance = Var(Tensor::from<double>({-1, 0.5, 2}, {1, 3}));
  const Var kl = loss::gaussian_kl(mu, log_variance);
  REQUIRE(kl.shape() == Shape{1, 3});
  for (int j = 0; j < 3; ++j) {
    const double m = at(mu, j), v = at(log_variance, j);
    CHECK(std::abs(at(kl, j) - 0.5 * (m * m + std::exp(v) - v - 1)) < 1e-14);
  }
}

TEST_CASE(
    "the KL's closed form is what samples of the posterior give, within four standard errors") {
  constexpr std::int64_t count = 20'000;
  constexpr int latents = 2;
  const double mu[latents] = {0.7, -0.4}, log_variance[latents] = {-0.9, 0.3};
  const double expected =
      ops::sum(loss::gaussian_kl(Tensor::from<double>(mu, {1, latents}),
                                 Tensor::from<double>(log_variance, {1, latents})))
          .item();
  // log q(z|x) - log p(z) of each sample, on the host.
  const Tensor noise = to_f64(kernels::normal({count, latents}, DType::f64, {21, 0, 0}));
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    double difference = 0;
    for (int j = 0; j < latents; ++j) {
      const double e = noise.data<double>()[i * latents + j];
      const double z = mu[j] + std::exp(log_variance[j] / 2) * e;
      difference += 0.5 * (z * z - e * e - log_variance[j]);
    }
    sum += difference;
    squares += difference * difference;
  }
  const double mean = sum / count;
  const double error = std::sqrt((squares / count - mean * mean) / count);
  CAPTURE(error);
  CHECK(error < 0.02);
  CHECK(std::abs(mean - expected) <= 4 * error);
}

TEST_CASE("likelihoods are sums over an image, not means, and one for each image") {
  const Tensor x = normals({2, 2, 3, 3}, DType::f64, 1),
               mean = normals({2, 2, 3, 3}, DType::f64, 2);
  const double sigma = 0.4;
  const Var gaussian =
      loss::gaussian_log_likelihood(x, mean, Tensor::full({}, std::log(sigma), DType::f64));
  const Tensor unit = kernels::uniform({2, 2, 3, 3}, DType::f64, {3, 0, 0});
  const Var bernoulli = loss::bernoulli_log_likelihood(unit, mean);
  REQUIRE(gaussian.shape() == Shape{2});
  REQUIRE(bernoulli.shape() == Shape{2});
  const Tensor hx = to_f64(x), hm = to_f64(mean), hu = to_f64(unit);
  for (int n = 0; n < 2; ++n) {
    double g = 0, b = 0;
    for (std::int64_t i = 18 * n; i < 18 * (n + 1); ++i) {
      const double m = hm.data<double>()[i], d = hx.data<double>()[i] - m;
      const double u = hu.data<double>()[i], p = 1 / (1 + std::exp(-m));
      g += -d * d / (2 * sigma * sigma) - std::log(sigma) - log_two_pi / 2;
      b += u * std::log(p) + (1 - u) * std::log(1 - p);
    }
    CHECK(std::abs(at(gaussian, n) - g) < 1e-11 * std::abs(g));
    CHECK(std::abs(at(bernoulli, n) - b) < 1e-11 * std::abs(b));
  }
  const Var far = Var(Tensor::full({1, 4}, 800, DType::f32));
  CHECK(loss::bernoulli_log_likelihood(Tensor::full({1, 4}, 1), far).item() == 0);
  CHECK(loss::bernoulli_log_likelihood(Tensor::full({1, 4}, 0), far).item() == -3200);
}

TEST_CASE("free bits: no latent counts less, and those below get no gradient") {
  const Var kl = parameter(Tensor::from<double>({0.1, 2, 0.3, 4}, {2, 2}));  // means 0.2 and 3
  CHECK(std::abs(loss::kl_per_image(kl).item() - 3.2) < 1e-12);
  const Var paid = loss::kl_per_image(kl, 0.5);
  CHECK(std::abs(paid.item() - 3.5) < 1e-12);
  paid.backward();
  const double expected[] = {0, 0.5, 0, 0.5};  // 1 / N for the second latent
  for (int i = 0; i < 4; ++i) CHECK(at(kl.grad(), i) == expected[i]);
}

TEST_CASE(
    "the IWAE bound: of one sample that sample, never below the mean, rising to the maximum") {
  const Var one = Var(normals({1, 5}, DType::f64, 3));
  const Var bound = loss::iwae_bound(one);
  REQUIRE(bound.shape() == Shape{5});
  for (int n = 0; n < 5; ++n) CHECK(std::abs(at(bound, n) - at(one, n)) < 1e-14);

  // Log weights of images: thousands of nats below 0.
  const Var many = ops::scale(Var(normals({64, 5}, DType::f64, 4)), 30);
  const Var means = ops::mean(many, {0}), bounds = loss::iwae_bound(many);
  const Tensor host = to_f64(many.tensor());
  for (int n = 0; n < 5; ++n) {
    double largest_weight = -1e300;
    for (int k = 0; k < 64; ++k) {
      largest_weight = std::max(largest_weight, host.data<double>()[k * 5 + n]);
    }
    CHECK(at(bounds, n) > at(means, n));
    CHECK(at(bounds, n) <= largest_weight);
    CHECK(at(bounds, n) >= largest_weight - std::log(64.0) - 1e-12);
  }
  const Var low = Var(Tensor::full({4, 1}, -9000, DType::f32));
  CHECK(std::abs(loss::iwae_bound(low).item() + 9000) < 1e-2);
}

TEST_CASE("terms of a VAE in bf16 and f32 are computed in f32") {
  for (const DType dtype : {DType::bf16, DType::f32}) {
    const Var mu = Var(normals({3, 4}, dtype, 1)), v = Var(normals({3, 4}, dtype, 2));
    CHECK(loss::gaussian_kl(mu, v).dtype() == DType::f32);
    CHECK(loss::kl_per_image(loss::gaussian_kl(mu, v), 0.1).shape() == Shape{});
    CHECK(loss::reparameterise(mu, v, mu).dtype() == dtype);
    CHECK(loss::standard_normal_log_density(mu).dtype() == DType::f32);
    CHECK(loss::bernoulli_log_likelihood(mu, v).dtype() == DType::f32);
    CHECK(loss::gaussian_log_likelihood(mu, v, Tensor::full({}, 0, dtype)).dtype() == DType::f32);
  }
}

TEST_CASE("terms of a VAE name what does not fit") {
  const Var a = Var(Tensor::zeros({2, 3})), b = Var(Tensor::zeros({3, 2}));
  CHECK_THROWS_WITH_AS(loss::gaussian_kl(a, b), doctest::Contains("one shape"), Error);
  CHECK_THROWS_WITH_AS(loss::reparameterise(a, a, b), doctest::Contains("reparameterise"), Error);
  CHECK_THROWS_WITH_AS(loss::kl_per_image(a, -1), doctest::Contains("free_bits"), Error);
  CHECK_THROWS_WITH_AS(loss::gaussian_log_likelihood(a, a, b), doctest::Contains("one log sigma"),
                       Error);
  CHECK_THROWS_WITH_AS(loss::iwae_bound(Tensor::zeros({4})), doctest::Contains("(K, N)"), Error);
}
