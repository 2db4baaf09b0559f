// Derivatives through casts, where exact answers are known.
// Numeric derivatives would see the rounding only.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sum_to.h"

using namespace imago;

TEST_CASE("cast: the gradient comes back in the dtype of the input, rounded on its way") {
  const Var x = parameter(Tensor::from<float>({1, 2, 3}, {3}));
  const Var y = ops::cast(x, DType::bf16);
  CHECK(y.dtype() == DType::bf16);
  CHECK(y.requires_grad());
  const Var seed = Tensor::from<bf16>({bf16(1.5f), bf16(-2.0f), bf16(1.01f)}, {3});
  const Var g = grad({y}, {x}, {seed})[0];
  CHECK(same_bits(g.tensor(), Tensor::from<float>({1.5f, -2.0f, float(bf16(1.01f))}, {3})));
}

TEST_CASE("cast: second derivatives pass through it") {
  const Var x = parameter(Tensor::from<double>({1, 2, 3}, {3}));
  // z = sum of (4 f32(x))^2 / 2: dz/dx = 16 x, d2z/dx2 = 16.
  const Var y = ops::scale(ops::cast(x, DType::f32), 4);
  const Var z = ops::scale(ops::sum(ops::square(y)), 0.5);
  const Var g = grad({z}, {x}, {}, {.create_graph = true})[0];
  CHECK(same_bits(g.tensor(), Tensor::from<double>({16, 32, 48}, {3})));
  CHECK(g.requires_grad());
  const Var gg = grad({ops::sum(g)}, {x})[0];
  CHECK(same_bits(gg.tensor(), Tensor::from<double>({16, 16, 16}, {3})));
}

TEST_CASE("cast: integers are constants, the same dtype is the value itself") {
  const Var x = parameter(Tensor::from<float>({1.5f, 2.5f}, {2}));
  CHECK_FALSE(ops::cast(x, DType::i64).requires_grad());
  CHECK(ops::cast(x, DType::f32).impl() == x.impl());
  CHECK_FALSE(ops::cast(Tensor::from<std::uint8_t>({1, 2}, {2}), DType::f32).requires_grad());
}
