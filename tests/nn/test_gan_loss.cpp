// What the losses of the two players say where the answer is known.
#include "nn/gan_loss.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "nn/loss.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

Var all(double value, std::int64_t n = 7) {
  return Tensor::full({n, 1}, value, DType::f64);
}

// d loss / d (one score that real and fake images share), summed over the batch: 0 where D cannot
// do better without telling them apart.
double pull(const std::function<Var(const Var&)>& loss, double score) {
  Var x = parameter(Tensor::full({7, 1}, score, DType::f64));
  loss(x).backward();
  const Tensor grad = to_f64(x.grad().tensor());
  double sum = 0;
  for (std::int64_t i = 0; i < 7; ++i) sum += grad.data<double>()[i];
  return sum;
}

}  // namespace

TEST_CASE("GAN losses: the reference lines where D cannot tell") {
  const Var undecided(Tensor::zeros({7, 1}, DType::f64));
  const double log2 = std::log(2.0);
  CHECK(std::abs(loss::gan_d(undecided, undecided).item() - 2 * log2) <= 1e-15);
  CHECK(std::abs(loss::gan_g(undecided).item() - log2) <= 1e-15);
  CHECK(std::abs(loss::gan_g_minimax(undecided).item() + log2) <= 1e-15);
}

TEST_CASE("GAN losses: where D is sure, minimax has no gradient left and non-saturating has all") {
  Var fake = parameter(Tensor::full({4, 1}, -40, DType::f64));
  loss::gan_g_minimax(fake).backward();
  CHECK(largest(fake.grad().tensor()) < 1e-17);
  fake.zero_grad();
  loss::gan_g(fake).backward();
  CHECK(std::abs(to_f64(fake.grad().tensor()).data<double>()[0] + 0.25) <= 1e-15);
}

TEST_CASE("GAN losses: finite for logits of any size, and of the stated dtypes") {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    CAPTURE(dtype);
    for (const double size : {-1024.0, 1024.0}) {
      Var logits = parameter(Tensor::full({3, 1}, size, dtype));
      for (const Var& loss : {loss::gan_d(logits, logits), loss::gan_g(logits),
                              loss::gan_g_minimax(logits), loss::bce_with_logits(logits, 0.5)}) {
        CHECK(loss.dim() == 0);
        CHECK(loss.dtype() == acc_dtype(dtype));
        CHECK(std::isfinite(loss.item()));
        CHECK(std::abs(loss.item()) <= 1024);
        logits.zero_grad();
        loss.backward();
        CHECK(logits.grad().dtype() == dtype);
        CHECK(std::isfinite(largest(logits.grad().tensor())));
      }
    }
  }
}

TEST_CASE("GAN losses: the hinge stops pushing at its margin") {
  Var real = parameter(Tensor::from<double>({-1, 0, 0.5, 2}, {4, 1}));
  Var fake = parameter(Tensor::from<double>({-3, -0.5, 0, 1}, {4, 1}));
  const Var d = loss::hinge_d(real, fake);
  CHECK(std::abs(d.item() - ((2 + 1 + 0.5 + 0) + (0 + 0.5 + 1 + 2)) / 4) <= 1e-15);
  d.backward();
  const double of_real[] = {-0.25, -0.25, -0.25, 0}, of_fake[] = {0, 0.25, 0.25, 0.25};
  for (std::int64_t i = 0; i < 4; ++i) {
    CHECK(to_f64(real.grad().tensor()).data<double>()[i] == of_real[i]);
    CHECK(to_f64(fake.grad().tensor()).data<double>()[i] == of_fake[i]);
  }
  fake.zero_grad();
  const Var g = loss::hinge_g(fake);
  CHECK(std::abs(g.item() - 2.5 / 4) <= 1e-15);
  g.backward();
  CHECK(to_f64(fake.grad().tensor()).data<double>()[2] == -0.25);
  const Var undecided(Tensor::zeros({7, 1}));
  CHECK(loss::hinge_d(undecided, undecided).item() == 2);
}

TEST_CASE("GAN losses: the table of reference lines") {
  CHECK(std::abs(loss::lsgan_d(all(0.5), all(0.5)).item() - 0.25) <= 1e-15);
  CHECK(std::abs(loss::lsgan_g(all(0.5)).item() - 0.125) <= 1e-15);
  CHECK(loss::lsgan_d(all(1), all(0)).item() == 0);
  CHECK(loss::lsgan_g(all(1)).item() == 0);
  CHECK(loss::wasserstein_d(all(3.25), all(3.25)).item() == 0);
  CHECK(loss::hinge_d(all(1), all(-1)).item() == 0);
  CHECK(loss::hinge_g(all(0)).item() == 0);
}

TEST_CASE("GAN losses: where real and fake are alike, D's best answer is the documented one") {
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  CHECK(std::abs(pull([](const Var& x) { return loss::gan_d(x, x); }, 0)) <= 1e-15);
  CHECK(std::abs(pull([](const Var& x) { return loss::lsgan_d(x, x); }, 0.5)) <= 1e-15);
  CHECK(std::abs(pull([](const Var& x) { return loss::wasserstein_d(x, x); }, 2)) <= 1e-15);
  for (const double target : {0.9, 0.6}) {
    CAPTURE(target);
    CHECK(std::abs(pull([&](const Var& x) { return loss::gan_d(x, x, target); },
                        logit(target / 2))) <= 1e-15);
    CHECK(std::abs(pull([&](const Var& x) { return loss::lsgan_d(x, x, target); }, target / 2)) <=
          1e-15);
    CHECK(std::abs(pull([&](const Var& x) { return loss::gan_d(x, x, target); }, 0)) > 0.05);
  }
}

TEST_CASE("GAN losses: smoothing is one-sided") {
  const Var real = all(0.75), fake = all(-1.5, 4);
  const double smooth = loss::gan_d(real, fake, 0.9).item();
  const double expected =
      loss::bce_with_logits(real, 0.9).item() + loss::bce_with_logits(fake, 0).item();
  CHECK(std::abs(smooth - expected) <= 1e-15);
  CHECK(std::abs(loss::lsgan_d(real, fake, 0.9).item() - (0.15 * 0.15 + 1.5 * 1.5) / 2) <= 1e-15);
  // A D that is surer than the target is pulled back: the gradient has changed its sign.
  CHECK(pull([&](const Var& x) { return loss::gan_d(x, fake, 0.9); }, 4) > 0);
  CHECK(pull([&](const Var& x) { return loss::gan_d(x, fake); }, 4) < 0);
  for (const double wrong : {0.0, -0.5, 1.1, std::nan("")}) {
    CAPTURE(wrong);
    CHECK(contains(error_of([&] { loss::gan_d(real, fake, wrong); }), "[gan_d] real_target"));
    CHECK(contains(error_of([&] { loss::lsgan_d(real, fake, wrong); }), "[lsgan_d] real_target"));
  }
}

TEST_CASE("GAN losses: least squares and Wasserstein, score by score") {
  Var real = parameter(Tensor::from<double>({-1, 0.5, 2}, {3, 1}));
  Var fake = parameter(Tensor::from<double>({0.25, -3}, {2, 1}));
  const auto check_gradient = [](const Var& x, const std::vector<double>& expected) {
    const Tensor grad = to_f64(x.grad().tensor());
    REQUIRE(grad.numel() == static_cast<std::int64_t>(expected.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(std::abs(grad.data<double>()[i] - expected[i]) <= 1e-15);
    }
  };
  const Var least = loss::lsgan_d(real, fake);
  CHECK(std::abs(least.item() - ((4 + 0.25 + 1) / 6 + (0.0625 + 9) / 4)) <= 1e-14);
  least.backward();
  check_gradient(real, {-2.0 / 3, -0.5 / 3, 1.0 / 3});
  check_gradient(fake, {0.125, -1.5});
  real.zero_grad(), fake.zero_grad();
  const Var distance = loss::wasserstein_d(real, fake);
  CHECK(std::abs(distance.item() - (-2.75 / 2 - 0.5)) <= 1e-15);
  distance.backward();
  check_gradient(real, {-1.0 / 3, -1.0 / 3, -1.0 / 3});
  check_gradient(fake, {0.5, 0.5});
  fake.zero_grad();
  const Var of_g = loss::wasserstein_g(fake);
  CHECK(std::abs(of_g.item() - 2.75 / 2) <= 1e-15);
  of_g.backward();
  check_gradient(fake, {-0.5, -0.5});
  fake.zero_grad();
  loss::lsgan_g(fake).backward();
  check_gradient(fake, {-0.375, -2});
}

TEST_CASE("GAN losses: those of two arguments and of bf16 are summed in f32") {
  Var a = parameter(normals({1000}, DType::bf16, 1));
  const Var b(normals({1000}, DType::bf16, 2));
  using Two = std::function<Var(const Var&, const Var&)>;
  for (const Two& f : {Two(loss::hinge_d), Two(loss::wasserstein_d),
                       Two([](const Var&x, const Var&y) { return loss::lsgan_d(x, y, 0.9); })}) {
    const Var loss = f(a, b);
    CHECK(loss.dtype() == DType::f32);
    const double wide = f(Var(to_f64(a.tensor())), Var(to_f64(b.tensor()))).item();
    CHECK(std::abs(loss.item() - wide) <= 1e-5);
    a.zero_grad();
    loss.backward();
    CHECK(a.grad().dtype() == DType::bf16);
  }
}
