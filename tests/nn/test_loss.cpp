#include "nn/loss.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

TEST_CASE("losses: mse and l1 of bf16 are summed in f32") {
  Var a = parameter(normals({1000}, DType::bf16, 1));
  const Var b(normals({1000}, DType::bf16, 2));
  for (const auto f : {loss::mse, loss::l1}) {
    const Var loss = f(a, b);
    CHECK(loss.dtype() == DType::f32);
    const double wide = f(Var(to_f64(a.tensor())), Var(to_f64(b.tensor()))).item();
    CHECK(std::abs(loss.item() - wide) <= 2e-3 * wide);
    a.zero_grad();
    loss.backward();
    CHECK(a.grad().dtype() == DType::bf16);
  }
}

TEST_CASE("losses: huber and smooth_l1 on both sides of their corner") {
  const Tensor a = Tensor::from<double>({0, 0.25, -0.5, 2, -3, 1}, {6});
  Var x = parameter(a);
  const Var zero(Tensor::zeros({6}, DType::f64));
  const Tensor host = a.to(Device::cpu());
  // By their definitions, element by element.
  const auto expected = [&](double corner, bool smooth) {
    double sum = 0;
    for (std::int64_t i = 0; i < 6; ++i) {
      const double d = std::abs(host.data<double>()[i]);
      const double huber = d < corner ? d * d / 2 : corner * (d - corner / 2);
      sum += smooth ? (d < corner ? d * d / (2 * corner) : d - corner / 2) : huber;
    }
    return sum / 6;
  };
  for (const double corner : {0.1, 0.4, 1.5, 10.0}) {
    CAPTURE(corner);
    CHECK(std::abs(loss::huber(x, zero, corner).item() - expected(corner, false)) <= 1e-14);
    CHECK(std::abs(loss::smooth_l1(x, zero, corner).item() - expected(corner, true)) <= 1e-14);
  }
  CHECK(loss::smooth_l1(x, zero, 0).item() == loss::l1(x, zero).item());
  loss::huber(x, zero, 0.75).backward();
  // Clamped to the corner, divided by the 6 of the mean.
  const double want[] = {0, 0.25, -0.5, 0.75, -0.75, 0.75};
  for (std::int64_t i = 0; i < 6; ++i) {
    CHECK(std::abs(to_f64(x.grad().tensor()).data<double>()[i] - want[i] / 6) <= 1e-15);
  }
  x.zero_grad();
  loss::smooth_l1(x, zero, 0.75).backward();
  for (std::int64_t i = 0; i < 6; ++i) {
    CHECK(std::abs(to_f64(x.grad().tensor()).data<double>()[i] - want[i] / 0.75 / 6) <= 1e-15);
  }
  CHECK(contains(error_of([&] { loss::huber(x, zero, 0); }), "delta is positive, not 0"));
  CHECK(contains(error_of([&] { loss::smooth_l1(x, zero, -1); }), "beta is 0 or more, not -1"));
}

TEST_CASE("losses: huber and smooth_l1 of bf16 are summed in f32") {
  Var a = parameter(normals({1000}, DType::bf16, 1));
  const Var b(normals({1000}, DType::bf16, 2));
  const auto huber = [](const Var& x, const Var& y) { return loss::huber(x, y, 0.5); };
  const auto smooth = [](const Var& x, const Var& y) { return loss::smooth_l1(x, y, 0.5); };
  for (const std::function<Var(const Var&, const Var&)>& f :
       {std::function<Var(const Var&, const Var&)>(huber),
        std::function<Var(const Var&, const Var&)>(smooth)}) {
    const Var loss = f(a, b);
    CHECK(loss.dtype() == DType::f32);
    const double wide = f(Var(to_f64(a.tensor())), Var(to_f64(b.tensor()))).item();
    CHECK(std::abs(loss.item() - wide) <= 2e-3 * wide);
    a.zero_grad();
    loss.backward();
    CHECK(a.grad().dtype() == DType::bf16);
  }
}

TEST_CASE("losses: shapes that differ are refused, not broadcast") {
  const Var a(Tensor::zeros({4, 1})), b(Tensor::zeros({4}));
  CHECK(contains(error_of([&] { loss::bce_with_logits(a, b); }), "(4, 1) and (4,)"));
  CHECK(contains(error_of([&] { loss::mse(a, b); }), "(4, 1) and (4,)"));
  CHECK(contains(error_of([&] { loss::l1(a, b); }), "(4, 1) and (4,)"));
  CHECK(contains(error_of([&] { loss::huber(a, b); }), "(4, 1) and (4,)"));
  CHECK(contains(error_of([&] { loss::smooth_l1(a, b); }), "(4, 1) and (4,)"));
}

TEST_CASE("losses: cross_entropy learns the labels, and refuses labels that are no indices") {
  Var logits = parameter(Tensor::zeros({3, 4}, DType::f32));
  const Var labels = Tensor::from<std::int64_t>({2, 0, -100}, {3});
  const Var loss = loss::cross_entropy(logits, labels);
  CHECK(loss.item() == doctest::Approx(std::log(4.0)));
  loss.backward();
  const Tensor grad = to_f64(logits.grad().tensor());
  CHECK(grad.data<double>()[2] == doctest::Approx(-0.375));
  CHECK(grad.data<double>()[3] == doctest::Approx(0.125));
  CHECK(grad.data<double>()[4] == doctest::Approx(-0.375));
  CHECK(grad.data<double>()[8] == 0);
  const Var smoothed = loss::cross_entropy(logits, labels, {.label_smoothing = 0.5});
  CHECK(smoothed.item() == doctest::Approx(std::log(4.0)));
  CHECK(contains(error_of([&] { loss::cross_entropy(logits, Var(Tensor::zeros({3}))); }),
                 "labels are f32 (3,); it takes class indices in i64"));
}
