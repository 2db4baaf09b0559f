// Penalties on critics whose slopes are known, and the clipping of weights.
#include "nn/gradient_penalty.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/matmul.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"
#include "nn/clip_grad.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

Tensor ones(std::int64_t n, double value = 1, DType dtype = DType::f64) {
  return Tensor::full({n}, value, dtype);
}

// Scores (N, 1) = <w, x>: every image has the slope w (F, 1).
loss::Critic linear(const Var& w) {
  return [w](const Var& x) { return ops::matmul(ops::reshape(x, {x.size(0), -1}), w); };
}

}  // namespace

TEST_CASE("gradient penalty: a linear critic has the slope of its weights") {
  Var w = parameter(Tensor::from<double>({3, 0, -4, 0, 0, 0, 0, 0, 0, 0, 0, 12}, {12, 1}));  // 13
  const Tensor real = normals({5, 2, 2, 3}, DType::f64, 1);
  const Tensor fake = normals({5, 2, 2, 3}, DType::f64, 2);
  for (const double target : {1.0, 0.0, 13.0, 20.0}) {
    CAPTURE(target);
    const Var penalty = loss::gradient_penalty(linear(w), real, fake, ones(5, 0.3), target);
    CHECK(penalty.shape() == Shape{});
    CHECK(std::abs(penalty.item() - (13 - target) * (13 - target)) <= 1e-12);
    CHECK_FALSE(w.grad().defined());  // computing it leaves no gradient behind
    penalty.backward();
    const Tensor expected = kernels::scale(w.tensor(), 2 * (13 - target) / 13);
    CHECK(largest_error(w.grad().tensor(), expected) <= 1e-12);
    w.zero_grad();
  }
  const Var r1 = loss::r1_penalty(linear(w), real);
  CHECK(std::abs(r1.item() - 169) <= 1e-11);
  CHECK_FALSE(w.grad().defined());
  r1.backward();
  CHECK(largest_error(w.grad().tensor(), kernels::scale(w.tensor(), 2)) <= 1e-12);
}

TEST_CASE("gradient penalty: an image without any slope counts in the value and pulls nowhere") {
  Var w = parameter(Tensor::zeros({12, 1}, DType::f64));
  const Tensor real = normals({2, 2, 2, 3}, DType::f64, 1);
  const Tensor fake = normals({2, 2, 2, 3}, DType::f64, 2);
  const Var penalty = loss::gradient_penalty(linear(w), real, fake, ones(2, 0.5), 1.5);
  CHECK(penalty.item() == 2.25);
  penalty.backward();
  CHECK(largest(w.grad().tensor()) == 0);  // 0, not NaN
  // One image of the two: the slope of w * sum(x^2) is 2 w x, which is 0 at 0.
  Var v = parameter(Tensor::scalar(0.75, DType::f64));
  const Tensor points = Tensor::from<double>({0, 0, 3, 4}, {2, 2});
  const loss::Critic bowl = [&](const Var& x) {
    return ops::mul(ops::sum(ops::square(x), {1}), v);
  };
  const Var half = loss::gradient_penalty(bowl, points, points, ones(2), 1);
  CHECK(std::abs(half.item() - (1 + 6.5 * 6.5) / 2) <= 1e-12);  // 2 * 0.75 * 5 - 1
  half.backward();
  CHECK(std::abs(v.grad().item() - 2 * 6.5 * 10 / 2) <= 1e-12);
}

TEST_CASE("gradient penalty: r1 is the mean over images of squared slopes") {
  const Tensor points = Tensor::from<double>({1, -2, 3, 4, 0, 0}, {3, 2});
  const loss::Critic bowl = [](const Var& x) {
    return ops::scale(ops::sum(ops::square(x), {1}, true), 0.5);  // slope x
  };
  CHECK(std::abs(loss::r1_penalty(bowl, points).item() - (5 + 25 + 0) / 3.0) <= 1e-14);
}

TEST_CASE("gradient penalty: points lie between each real image and its fake") {
  const Tensor real = normals({3, 2, 2, 3}, DType::f64, 1);
  const Tensor fake = normals({3, 2, 2, 3}, DType::f64, 2);
  int calls = 0;
  Tensor seen;
  const loss::Critic watching = [&](const Var& x) {
    ++calls;
    seen = x.tensor().clone();
    return ops::sum(ops::square(x), {1, 2, 3});
  };
  const Tensor mix = Tensor::from<double>({1, 0, 0.25}, {3});
  loss::gradient_penalty(watching, real, fake, mix);
  CHECK(calls == 1);
  REQUIRE(seen.defined());
  CHECK(same_bits(seen.slice(0, 1), real.slice(0, 1)));
  CHECK(same_bits(seen.slice(1, 2), fake.slice(1, 2)));
  const Tensor third =
      kernels::add(kernels::scale(real.slice(2, 3), 0.25), kernels::scale(fake.slice(2, 3), 0.75));
  CHECK(largest_error(seen.slice(2, 3), third) <= 1e-15);
}

TEST_CASE("gradient penalty: its value is the same while nothing is recorded, and of acc_t") {
  const Tensor real = normals({4, 2, 2, 3}, DType::bf16, 1);
  Var w = parameter(normals({12, 1}, DType::bf16, 3));
  const Var recorded = loss::r1_penalty(linear(w), real);
  CHECK(recorded.requires_grad());
  CHECK(recorded.dtype() == DType::f32);
  const double slope = dot(w.tensor(), w.tensor());
  CHECK(std::abs(recorded.item() - slope) <= 1e-5 * slope);
  const NoGrad no_grad;
  const Var constant = loss::r1_penalty(linear(w), real);
  CHECK_FALSE(constant.requires_grad());
  CHECK(same_bits(constant.tensor(), recorded.tensor()));
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("gradient penalty: what does not fit is named") {
  Var w = parameter(normals({12, 1}, DType::f64, 3));
  const Tensor real = normals({4, 2, 2, 3}, DType::f64, 1), few = real.slice(0, 3);
  const auto says = [&](const Tensor& a, const Tensor& b, const Tensor& mix) {
    return error_of([&] { loss::gradient_penalty(linear(w), a, b, mix); });
  };
  CHECK(contains(says(real, few, ones(4)), "one real and one fake"));
  CHECK(contains(says(real, real, ones(3)), "mix is one number for each image"));
  CHECK(contains(says(real, real, ones(4, 1, DType::f32)), "mix is one number for each image"));
  CHECK(contains(says(real, real, {}), "mix is one number for each image"));
  CHECK(contains(says({}, real, ones(4)), "real is undefined"));
  const Tensor bytes = Tensor::zeros({4, 2, 2, 3}, DType::u8);
  CHECK(contains(error_of([&] { loss::r1_penalty(linear(w), bytes); }), "normalise images"));
  const loss::Critic mean = [&](const Var& x) { return ops::mean(linear(w)(x)); };
  CHECK(contains(error_of([&] { loss::r1_penalty(mean, real); }), "not a mean"));
  const loss::Critic blind = [&](const Var& x) { return Tensor::zeros({x.size(0), 1}, x.dtype()); };
  CHECK(!error_of([&] { loss::r1_penalty(blind, real); }).empty());
  CHECK(contains(error_of([&] { loss::r1_penalty({}, real); }), "empty function"));
  CHECK(contains(error_of([&] { loss::gradient_penalty(linear(w), real, real, ones(4), -1); }),
                 "not -1"));
}

TEST_CASE("clip_weights: cuts parameters in place, as an optimiser writes") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    CAPTURE(dtype);
    const auto fresh = [&] {
      return parameter(
          kernels::cast(Tensor::from<double>({-2, -0.25, 0, 0.125, 0.5, 3}, {2, 3}), dtype)
              .clone());
    };
    const Tensor expected = Tensor::from<double>({-0.25, -0.25, 0, 0.125, 0.25, 0.25}, {2, 3});
    Var a = fresh(), b = fresh();
    const Tensor memory = a.tensor();
    const std::uint64_t version = memory.version();
    optim::clip_weights({a, b}, 0.25);
    CHECK(largest_error(a.tensor(), expected) == 0);
    CHECK(largest_error(b.tensor(), expected) == 0);
    CHECK(a.tensor().shares_storage(memory));
    CHECK(memory.version() > version);
    Var c = fresh();
    optim::clip_weights({c}, Tensor::full({1}, 0.25, DType::f64));
    CHECK(same_bits(c.tensor(), a.tensor()));
  }
  // A graph that saved the weights notices.
  Var w = parameter(Tensor::full({3}, 2, DType::f64)), x = parameter(ones(3));
  const Var y = ops::sum(ops::mul(w, x));
  optim::clip_weights({w}, 1);
  CHECK(contains(error_of([&] { y.backward(); }), "changed in place"));
  optim::clip_weights({}, 1);
  CHECK(contains(error_of([&] { optim::clip_weights({w}, 0); }), "limit must be positive, not 0"));
}
