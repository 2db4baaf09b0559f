// Directions and cosines: what the tables of cases and goldens do not say.
#include "nn/cosine.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/engine.h"
#include "autograd/ops/sum_to.h"
#include "autograd/random.h"
#include "kernels/elementwise/elementwise.h"
#include "nn/margin_loss.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

bool all_finite(const Tensor& t) {
  const Tensor host = to_f64(t);
  for (std::int64_t i = 0; i < host.numel(); ++i) {
    if (!std::isfinite(host.data<double>()[i])) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("l2_normalize: rows of length 1, in bf16 but for its last rounding") {
  for (const DType dtype : {DType::f64, DType::f32, DType::bf16}) {
    CAPTURE(dtype);
    const Tensor x = normals({50, 31}, dtype, 5);
    const Tensor y = nn::l2_normalize(Var(x)).tensor();
    CHECK(y.dtype() == dtype);
    CHECK(y.shape() == x.shape());
    // Half a unit of the last place of each element; a length in bf16 would be as far off again.
    const double bound = dtype == DType::bf16 ? 1.0 / 512 : dtype == DType::f32 ? 1e-6 : 1e-14;
    for (std::int64_t i = 0; i < 50; ++i) {
      const Tensor from = x.slice(i, i + 1), to = y.slice(i, i + 1);
      CHECK(std::abs(std::sqrt(dot(to, to)) - 1) <= bound);
      CHECK(std::abs(dot(from, to) / std::sqrt(dot(from, from)) - 1) <= bound);
    }
  }
}

TEST_CASE("l2_normalize: rows of zeros stay zeros, with finite first and second derivatives") {
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    const Tensor numbers = Tensor::from<double>({1, 2, 3, 0, 0, 0, -1, 0, 4}, {3, 3});
    const Var x = parameter(kernels::cast(numbers, dtype));
    const Var y = nn::l2_normalize(x);
    CHECK(largest(y.tensor().slice(1, 2)) == 0);
    const Tensor dy = kernels::cast(normals({3, 3}, DType::f32, 9), dtype);
    const Vars first = grad({y}, {x}, {parameter(dy)}, {.create_graph = true});
    CHECK(all_finite(first[0].tensor()));
    // dx = dy / eps there.
    const Tensor row = first[0].tensor().slice(1, 2);
    const Tensor expected = kernels::scale(dy.slice(1, 2), 1e12);
    CHECK(largest_error(row, expected) <= 1e-6 * largest(expected));
    const Vars second = grad({ops::sum(first[0])}, {x});
    CHECK(all_finite(second[0].tensor()));
    CHECK(largest(second[0].tensor().slice(1, 2)) == 0);  // x / eps is straight
    CHECK(largest(second[0].tensor().slice(0, 1)) > 0);
  }
}

TEST_CASE("l2_normalize: what it refuses") {
  const Var x(Tensor::zeros({2, 3}));
  CHECK(contains(error_of([&] { nn::l2_normalize(x, 0); }), "eps is positive, not 0"));
  CHECK(contains(error_of([&] { nn::l2_normalize(Var(Tensor::zeros({2}, DType::i64))); }),
                 "[l2_normalize] takes rows (..., D) of f32, f64 or bf16, not i64 (2,)"));
  CHECK(contains(error_of([&] { nn::l2_normalize(Var(Tensor::zeros({}))); }),
                 "[l2_normalize] takes rows"));
}

TEST_CASE("CosineLinear: only angles count") {
  manual_seed(3);
  nn::CosineLinear layer({.in = 64, .out = 90});
  const Tensor weight = layer.weight().tensor();
  CHECK(weight.shape() == Shape{90, 64});
  CHECK(std::abs(dot(weight, weight) / 90 - 1) < 0.08);  // the variance is 1 / 64
  CHECK(std::abs(dot(weight, Tensor::full(weight.shape(), 1))) / 5760 < 0.01);
  const Tensor x = normals({7, 64}, DType::f32, 4);
  const Tensor y = layer(Var(x)).tensor();
  CHECK(largest(y) <= 1);
  CHECK(same_bits(layer(Var(kernels::scale(x, 4))).tensor(), y));
  // To a row of the weight itself the cosine is 1, to its opposite -1.
  const Tensor own = to_f64(layer(Var(weight)).tensor());
  const Tensor opposite = to_f64(layer(Var(kernels::scale(weight, -3))).tensor());
  for (std::int64_t i = 0; i < 90; ++i) {
    CHECK(std::abs(own.data<double>()[i * 91] - 1) <= 1e-6);
    CHECK(std::abs(opposite.data<double>()[i * 91] + 1) <= 1e-6);
  }
}

TEST_CASE("CosineLinear: an embedding of zeros has finite losses and gradients, twice") {
  manual_seed(3);
  const Var labels(Tensor::from<std::int64_t>({1, 0}, {2}));
  for (const DType dtype : {DType::f64, DType::f32}) {
    CAPTURE(dtype);
    nn::CosineLinear layer({.in = 3, .out = 4});
    layer.to(dtype);
    const Var x = parameter(Tensor::zeros({2, 3}, dtype));
    for (const bool angles : {false, true}) {
      CAPTURE(angles);
      const Var cosines = layer(x);
      const Var loss = angles ? loss::arcface(cosines, labels) : loss::cosface(cosines, labels);
      CHECK(std::isfinite(loss.item()));
      const Vars first = grad({loss}, {x, layer.weight()}, {}, {.create_graph = true});
      for (const Var& g : first) CHECK(all_finite(g.tensor()));
      const Vars both{ops::sum(first[0]), ops::sum(first[1])};
      for (const Var& g : grad(both, {x, layer.weight()})) CHECK(all_finite(g.tensor()));
      CHECK(largest(first[0].tensor()) > 0);
    }
  }
}

TEST_CASE("CosineLinear: what it refuses") {
  CHECK(contains(error_of([] { nn::CosineLinear({.in = 0, .out = 2}); }),
                 "[CosineLinear] in and out must be positive, not 0 and 2"));
  nn::CosineLinear layer({.in = 3, .out = 2});
  CHECK(contains(error_of([&] {
                   layer(Var(Tensor::zeros({2, 4})));
                 }),
                 "[CosineLinear] expects (N, 3) but the input is (2, 4)"));
  CHECK(contains(error_of([&] { layer(Var(Tensor::zeros({2, 2, 3}))); }), "is (2, 2, 3)"));
}
