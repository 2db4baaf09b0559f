// The traps of losses that are made of margins: cosines of 1, faces that point away, and which
// triplets are taken.
#include "nn/margin_loss.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <span>
#include <sstream>
#include <vector>

#include "autograd/engine.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/one_hot.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "autograd/ops/where.h"
#include "kernels/elementwise/elementwise.h"
#include "nn/cosine.h"
#include "nn/loss.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

using Numbers = std::vector<double>;
using Labels = std::vector<std::int64_t>;

// A leaf with these numbers.
Var leaf(const Numbers& numbers, const Shape& shape, DType dtype = DType::f64) {
  return parameter(
      kernels::cast(Tensor::from(std::span<const double>(numbers), shape), dtype).clone());
}

Var ids(const Labels& labels) {
  return Var(Tensor::from(std::span<const std::int64_t>(labels),
                          Shape{static_cast<std::int64_t>(labels.size())}));
}

Numbers numbers_of(const Tensor& t) {
  const Tensor host = to_f64(t);
  return {host.data<double>(), host.data<double>() + host.numel()};
}

bool all_finite(const Tensor& t) {
  for (const double v : numbers_of(t)) {
    if (!std::isfinite(v)) return false;
  }
  return true;
}

Tensor gradient_of(const Var& loss, const Var& x) {
  return grad({loss}, {x})[0].tensor();
}

// ArcFace as it is often written.
Var naive_arcface(const Var& c, const Var& labels, double scale, double margin) {
  const Var sine = ops::sqrt(ops::add_scalar(ops::neg(ops::square(c)), 1));
  const Var turned = ops::sub(ops::scale(c, std::cos(margin)), ops::scale(sine, std::sin(margin)));
  const Tensor own = ops::one_hot(labels, c.size(1), DType::u8);
  return loss::cross_entropy(ops::scale(ops::where(own, turned, c), scale), labels);
}

// -log softmax(scale cosines)[label] of one row whose own cosine has become `own`.
double by_hand(Numbers row, std::size_t label, double own, double scale) {
  row[label] = own;
  double sum = 0;
  for (const double c : row) sum += std::exp(scale * c);
  return std::log(sum) - scale * own;
}

}  // namespace

TEST_CASE("margin losses: cosines of 1, -1 and rounded beyond are finite, and so are derivatives") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    const double beyond = dtype == DType::f64 ? 1 + 1e-7 : 1 + 0x1p-23;
    const double last = dtype == DType::f64 ? 1 - 0x1p-53 : 1 - 0x1p-24;
    for (const double own : {1.0, -1.0, beyond, -beyond, last, -last, 1 - 0x1p-23, 1 + 1e-15}) {
      CAPTURE(own);
      // A row whose own cosine it is, one where it is another's, and one of both.
      const Var c = leaf({own, 0.1, -0.3, 0.2, -0.4, own, -own, own, 0}, {3, 3}, dtype);
      const Var labels = ids({0, 1, 1});
      for (const double margin : {0.0, 0.5}) {
        CAPTURE(margin);
        for (const Var& loss : {loss::cosface(c, labels, {.margin = margin}),
                                loss::arcface(c, labels, {.margin = margin})}) {
          CHECK(std::isfinite(loss.item()));
          const Var first = grad({loss}, {c}, {}, {.create_graph = true})[0];
          CHECK(all_finite(first.tensor()));
          CHECK(all_finite(gradient_of(ops::sum(first), c)));
        }
      }
    }
    // The test can see the fault: without a clamp it is there.
    for (const double own : {1.0, -1.0, beyond}) {
      const Var c = leaf({own, 0.1}, {1, 2}, dtype);
      CHECK_FALSE(all_finite(gradient_of(naive_arcface(c, ids({0}), 30, 0.5), c)));
    }
  }
}

TEST_CASE("arcface pulls a face towards its class from everywhere, as the naive form does not") {
  constexpr std::int64_t rows = 401;
  Numbers numbers;
  for (std::int64_t i = 0; i < rows; ++i) {
    numbers.push_back(-1 + static_cast<double>(i) / 200);
    numbers.push_back(0.1);
  }
  const Var labels = ids(Labels(rows, 0));
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    const Var c = leaf(numbers, {rows, 2}, dtype);
    for (const double margin : {0.0, 0.1, 0.5, 1.2, 1.5}) {
      CAPTURE(margin);
      const Var loss = loss::arcface(c, labels, {.scale = 4, .margin = margin});
      const Numbers ours = numbers_of(gradient_of(loss, c));
      const Numbers naive = numbers_of(gradient_of(naive_arcface(c, labels, 4, margin), c));
      int away = 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        const auto at = static_cast<std::size_t>(2 * i);
        CAPTURE(numbers[at]);
        CHECK(ours[at] < 0);
        CHECK(ours[at + 1] > 0);  // and away from the other class
        if (naive[at] > 0) ++away;
        // Where the angle leaves room for the margin both are the same, but for their roundings.
        const bool room = numbers[at] > -std::cos(margin) + 0.01 && numbers[at] < 0.99;
        if (!room) continue;
        CHECK(std::abs(ours[at] - naive[at]) <= 1e-5 * std::abs(naive[at]) + 1e-8);
      }
      const double rising = (1 - std::cos(margin)) * 200;  // steps of the grid in (-1, -cos m)
      CHECK(std::abs(away - rising) <= 2);
    }
  }
}

TEST_CASE("arcface falls over the joint at theta = pi - margin") {
  for (const double margin : {0.05, 0.5, 1.2, 1.5}) {
    CAPTURE(margin);
    double before = std::numeric_limits<double>::infinity();
    for (const double step : {-1e-2, -1e-6, -1e-9, 1e-9, 1e-6, 1e-2}) {
      const double own = -std::cos(margin) + step;
      if (own < -1) continue;
      const Var c = leaf({own, 0.2, -0.1}, {1, 3});
      const double loss = loss::arcface(c, ids({0}), {.scale = 3, .margin = margin}).item();
      CHECK(loss < before);
      before = loss;
      const double theta = std::acos(own);
      const double expected = step > 0 ? std::cos(theta + margin) : own - margin * std::sin(margin);
      CHECK(std::abs(loss - by_hand({own, 0.2, -0.1}, 0, expected, 3)) <= 1e-12);
    }
  }
}

TEST_CASE("margin losses: a margin of 0 is cross_entropy of scaled cosines, to the bit") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    Numbers numbers{1, -1, 0.3, 0.2, 1, -0.9};
    for (int i = 0; i < 9; ++i) numbers.push_back(std::cos(1.0 + i));
    const Var c = leaf(numbers, {5, 3}, dtype);
    const Var labels = ids({0, 2, 1, 1, 0});
    const Var plain = loss::cross_entropy(ops::scale(c, 7), labels, {.label_smoothing = 0.1});
    const Tensor expected = gradient_of(plain, c);
    for (const Var& loss :
         {loss::cosface(c, labels, {.scale = 7, .margin = 0, .label_smoothing = 0.1}),
          loss::arcface(c, labels, {.scale = 7, .margin = 0, .label_smoothing = 0.1})}) {
      CHECK(loss.item() == plain.item());
      CHECK(largest_error(gradient_of(loss, c), expected) == 0);
    }
  }
}

TEST_CASE("cosface and arcface by hand") {
  const Numbers a{0.6, -0.2, 0.1}, b{-0.9, 0.4, 0.3};
  const Var c = leaf({0.6, -0.2, 0.1, -0.9, 0.4, 0.3}, {2, 3});
  const Var labels = ids({0, 2});
  const double cosface = (by_hand(a, 0, 0.6 - 0.25, 10) + by_hand(b, 2, 0.3 - 0.25, 10)) / 2;
  CHECK(std::abs(loss::cosface(c, labels, {.scale = 10, .margin = 0.25}).item() - cosface) <=
        1e-12);
  const auto turned = [](double cosine) { return std::cos(std::acos(cosine) + 0.4); };
  const double arcface = (by_hand(a, 0, turned(0.6), 10) + by_hand(b, 2, turned(0.3), 10)) / 2;
  CHECK(std::abs(loss::arcface(c, labels, {.scale = 10, .margin = 0.4}).item() - arcface) <= 1e-12);
}

TEST_CASE("triplets: the nearest of those farther than the positive, and a mean of all pairs") {
  // On a line: two of one person at 0 and 1, others at 0.5, 1.1 and 3.
  const Var x = leaf({0, 7, 1, 7, 0.5, 7, 1.1, 7, 3, 7}, {5, 2});
  const Var labels = ids({4, 4, 1, 2, -3});
  const Var loss = loss::triplet_semi_hard(x, labels, {.margin = 0.5});
  // From 0: 1 - 1.1^2 + 0.5; from 1 the first beyond is at 3: 1 - 4 + 0.5 < 0 counts as 0.
  CHECK(std::abs(loss.item() - (1 - 1.21 + 0.5) / 2) <= 1e-15);
  const Numbers want{0.1, 0, 1, 0, 0, 0, -1.1, 0, 0, 0};
  const Numbers got = numbers_of(gradient_of(loss, x));
  for (std::size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - want[i]) <= 1e-15);
  }
}

TEST_CASE("triplets: the farthest where none is farther than the positive") {
  const Var x = leaf({0, 2, 0.5, 1}, {4, 1});
  const Var loss = loss::triplet_semi_hard(x, ids({0, 0, 1, 2}), {.margin = 0.2});
  // From 0: 1 of 0.5 and 1; from 2: 0.5 of both.
  CHECK(std::abs(loss.item() - ((4 - 1 + 0.2) + (4 - 2.25 + 0.2)) / 2) <= 1e-15);
  // One exactly as far as the positive is not farther.
  const Var tie = leaf({0, 1, -1, -3}, {4, 1});
  const double expected = ((1 - 9 + 8.5) + (1 - 4 + 8.5) + (4 - 4 + 8.5) + (4 - 9 + 8.5)) / 4;
  const Var tied = loss::triplet_semi_hard(tie, ids({0, 0, 1, 1}), {.margin = 8.5});
  CHECK(std::abs(tied.item() - expected) <= 1e-14);
}

TEST_CASE("triplets: far clusters have loss 0 and gradient 0") {
  const Var x = leaf({0, 0.1, 5, 5.1}, {4, 1});
  const Var loss = loss::triplet_semi_hard(x, ids({0, 0, 1, 1}));
  CHECK(loss.item() == 0);
  CHECK(largest(gradient_of(loss, x)) == 0);
}

TEST_CASE("triplets: embeddings at one point, and of zeros, have finite gradients") {
  const Var labels = ids({0, 0, 1, 1});
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    for (const double value : {0.0, 1.0}) {
      CAPTURE(value);
      for (const bool normalize : {false, true}) {
        CAPTURE(normalize);
        const Var x = leaf(Numbers(12, value), {4, 3}, dtype);
        const Var e = normalize ? nn::l2_normalize(x) : x;
        const Var loss = loss::triplet_semi_hard(e, labels, {.margin = 0.25});
        CHECK(loss.item() == 0.25);
        const Var first = grad({loss}, {x}, {}, {.create_graph = true})[0];
        CHECK(largest_error(first.tensor(), Tensor::zeros({4, 3}, dtype)) == 0);
        CHECK(all_finite(gradient_of(ops::sum(ops::square(first)), x)));
      }
    }
  }
}

TEST_CASE("triplets: an embedding that is NaN shows in the loss, whatever its part") {
  const Var x = leaf({0, 1, std::nan(""), 4}, {4, 1});
  for (const Labels& labels : {Labels{0, 0, 1, 2}, Labels{0, 1, 0, 1}, Labels{0, 1, 2, 0}}) {
    CHECK(std::isnan(loss::triplet_semi_hard(x, ids(labels)).item()));
  }
}

TEST_CASE("triplets: a batch in which nothing can be learned is refused") {
  const Var x = leaf({0, 1, 2}, {3, 1});
  CHECK(contains(error_of([&] {
                   loss::triplet_semi_hard(x, ids({0, 1, 2}));
                 }),
                 "[triplet_semi_hard] no label comes twice among the 3 images"));
  CHECK(contains(error_of([&] {
                   loss::triplet_semi_hard(x, ids({5, 5, 5}));
                 }),
                 "[triplet_semi_hard] all 3 images have one label"));
  CHECK(contains(error_of([&] {
                   loss::triplet_semi_hard(x, ids({1, 1, 2}), {.margin = 0});
                 }),
                 "margin is positive, not 0"));
}

TEST_CASE("margin losses: labels out of range throw and are named; on CUDA the loss is NaN") {
  const Var c = leaf({0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, {2, 3}, DType::f32);
  for (const std::int64_t wrong : {3, -1, -100}) {
    CAPTURE(wrong);
    const Var labels = ids({0, wrong});
    for (const bool angles : {false, true}) {
      const auto loss = [&] {
        return angles ? loss::arcface(c, labels) : loss::cosface(c, labels);
      };
      if (c.device().is_cuda()) {
        CHECK(std::isnan(loss().item()));
        continue;
      }
      std::ostringstream expected;
      expected << (angles ? "[arcface]" : "[cosface]") << " label " << wrong
               << " of row 1 is not in [0, 3)";
      CHECK(contains(error_of(loss), expected.str()));
    }
  }
}

TEST_CASE("margin losses: what they refuse") {
  const Var c = leaf({0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, {2, 3}, DType::f32);
  const Var labels = ids({0, 1});
  const auto check_says = [](const std::string& part, const auto& f) {
    const std::string error = error_of(f);
    CAPTURE(error);
    CHECK(contains(error, part));
  };
  using CosFace = loss::CosFaceOptions;
  using ArcFace = loss::ArcFaceOptions;
  check_says("[cosface] margin is a cosine in [0, 1], not 2",
             [&] { loss::cosface(c, labels, CosFace{.margin = 2}); });
  check_says("[cosface] margin is", [&] { loss::cosface(c, labels, CosFace{.margin = -0.1}); });
  check_says("[cosface] scale is positive and finite, not 0",
             [&] { loss::cosface(c, labels, CosFace{.scale = 0}); });
  check_says("[arcface] scale is", [&] { loss::arcface(c, labels, ArcFace{.scale = -1}); });
  check_says("[arcface] scale is", [&] { loss::arcface(c, labels, ArcFace{.scale = NAN}); });
  check_says("[arcface] margin is an angle in radians, in [0, pi / 2)",
             [&] { loss::arcface(c, labels, ArcFace{.margin = std::numbers::pi / 2}); });
  check_says("[arcface] margin is", [&] { loss::arcface(c, labels, ArcFace{.margin = NAN}); });
  check_says("label_smoothing", [&] { loss::arcface(c, labels, ArcFace{.label_smoothing = 2}); });
  const Var floats(Tensor::zeros({2})), whole(Tensor::zeros({2, 3}, DType::i64));
  const Var three = ids({0, 1, 1}), flat = leaf({1, 2}, {2}, DType::f32);
  const Var none(Tensor::zeros({0, 3})), no_labels(Tensor::zeros({0}, DType::i64));
  const auto cosface = [](const Var& x, const Var& t) { return loss::cosface(x, t); };
  const auto arcface = [](const Var& x, const Var& t) { return loss::arcface(x, t); };
  const auto triplet = [](const Var& x, const Var& t) { return loss::triplet_semi_hard(x, t); };
  using Loss = std::function<Var(const Var&, const Var&)>;
  for (const Loss& f : {Loss(cosface), Loss(arcface), Loss(triplet)}) {
    check_says("labels are f32 (2,); it takes class indices in i64", [&] { f(c, floats); });
    check_says("not (2, 3) and (3,)", [&] { f(c, three); });
    check_says("not (2,) and (2,)", [&] { f(flat, labels); });
    check_says("of f32, f64 or bf16, not i64", [&] { f(whole, labels); });
    check_says("are (0, 3)", [&] { f(none, no_labels); });
  }
}
