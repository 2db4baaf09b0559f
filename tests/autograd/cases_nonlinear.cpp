// Activations, powers, bounds and choices.
#include "autograd/ops/clamp.h"
#include "autograd/ops/clamp_grad.h"
#include "autograd/ops/compare.h"
#include "autograd/ops/erf.h"
#include "autograd/ops/gelu.h"
#include "autograd/ops/gelu_grad.h"
#include "autograd/ops/maximum.h"
#include "autograd/ops/minimum.h"
#include "autograd/ops/pow.h"
#include "autograd/ops/prelu.h"
#include "autograd/ops/prelu_factor.h"
#include "autograd/ops/prelu_slope_grad.h"
#include "autograd/ops/reciprocal.h"
#include "autograd/ops/rsqrt.h"
#include "autograd/ops/silu.h"
#include "autograd/ops/silu_grad.h"
#include "autograd/ops/where.h"
#include "op_case.h"

namespace imago::test {
namespace {

OpCase of_one(const char* op, const char* name, const Range& range,
              const std::function<Var(const Var&)>& f) {
  return {op, name,
          [range](DType t, Size s) {
            return leaves(t, {taller({3, 5}, s)}, range);
          },
          [f](const Vars& v) { return Vars{f(v[0])}; }};
}

// Shapes with as many dimensions as the first grow with it.
OpCase of_many(const char* op, const char* name, const std::vector<Shape>& shapes,
               const Range& range, const Differentiable& f) {
  return {op, name,
          [shapes, range](DType t, Size s) {
            std::vector<Shape> grown;
            for (const Shape& shape : shapes) {
              grown.push_back(shape.dim() == shapes[0].dim() ? taller(shape, s) : shape);
            }
            return leaves(t, grown, range);
          },
          f};
}

}  // namespace

std::vector<OpCase> nonlinear_cases() {
  using ops::Gelu;
  const Range wide{-3, 3}, positive{0.3, 3}, kinked{-2, 2, {0}}, bounded{-2, 2, {-0.5, 1.25}};
  const ops::Bounds bounds{.low = -0.5, .high = 1.25};
  const Shape s{3, 5};
  return {
      of_one("rsqrt", "", positive, [](const Var& x) { return ops::rsqrt(x); }),
      of_one("reciprocal", "", positive, [](const Var& x) { return ops::reciprocal(x); }),
      of_one("erf", "", wide, [](const Var& x) { return ops::erf(x); }),
      of_one("gelu", "", wide, [](const Var& x) { return ops::gelu(x); }),
      of_one("gelu", "by tanh", wide, [](const Var& x) { return ops::gelu(x, Gelu::tanh); }),
      of_one("silu", "", wide, [](const Var& x) { return ops::silu(x); }),
      of_one("pow(x, exponent)", "a fraction", positive,
             [](const Var& x) { return ops::pow(x, 2.75); }),
      of_one("pow(x, exponent)", "a cube of both signs", wide,
             [](const Var& x) { return ops::pow(x, 3); }),
      of_one("pow(x, exponent)", "a square", wide, [](const Var& x) { return ops::pow(x, 2); }),
      of_one("pow(x, exponent)", "-1/2", positive, [](const Var& x) { return ops::pow(x, -0.5); }),
      of_one("clamp", "", bounded, [=](const Var& x) { return ops::clamp(x, bounds); }),
      of_one("clamp", "from below", kinked, [](const Var& x) { return ops::clamp(x, {.low = 0}); }),
      of_many("pow(a, b)", "same shape", {s, s}, positive,
              [](const Vars& v) { return Vars{ops::pow(v[0], v[1])}; }),
      of_many("pow(a, b)", "per channel", {s, {5}}, positive,
              [](const Vars& v) { return Vars{ops::pow(v[0], v[1])}; }),
      of_many("maximum", "same shape", {s, s}, wide,
              [](const Vars& v) { return Vars{ops::maximum(v[0], v[1])}; }),
      of_many("maximum", "both broadcast", {{2, 1, 3}, {4, 1}}, wide,
              [](const Vars& v) { return Vars{ops::maximum(v[0], v[1])}; }),
      of_many("minimum", "same shape", {s, s}, wide,
              [](const Vars& v) { return Vars{ops::minimum(v[0], v[1])}; }),
      of_many("minimum", "per channel", {{2, 2, 3}, {3}}, wide,
              [](const Vars& v) { return Vars{ops::minimum(v[0], v[1])}; }),
      of_many("prelu", "per channel", {{2, 2, 3}, {3}}, kinked,
              [](const Vars& v) { return Vars{ops::prelu(v[0], v[1])}; }),
      of_many("prelu", "one slope", {s, {}}, kinked,
              [](const Vars& v) { return Vars{ops::prelu(v[0], v[1])}; }),
      of_many("prelu_factor", "", {s, {5}}, kinked,
              [](const Vars& v) { return Vars{ops::prelu_factor(v[0], v[1])}; }),
      of_many("prelu_slope_grad", "", {s, s}, kinked,
              [](const Vars& v) { return Vars{ops::prelu_slope_grad(v[0], v[1])}; }),
      of_many("clamp_grad", "", {s, s}, bounded,
              [=](const Vars& v) { return Vars{ops::clamp_grad(v[0], v[1], bounds)}; }),
      of_many("gelu_grad", "", {s, s}, wide,
              [](const Vars& v) { return Vars{ops::gelu_grad(v[0], v[1])}; }),
      of_many("gelu_grad", "by tanh", {s, s}, wide,
              [](const Vars& v) { return Vars{ops::gelu_grad(v[0], v[1], Gelu::tanh)}; }),
      of_many("silu_grad", "", {s, s}, wide,
              [](const Vars& v) { return Vars{ops::silu_grad(v[0], v[1])}; }),
      of_many("where", "same shape", {s, s, s}, kinked,
              [](const Vars& v) { return Vars{ops::where(ops::less(v[2], 0), v[0], v[1])}; }),
      of_many("where", "all broadcast", {{2, 1, 3}, {3}, {2, 4, 1}}, kinked,
              [](const Vars& v) { return Vars{ops::where(ops::less(v[2], 0), v[0], v[1])}; }),
  };
}

}  // namespace imago::test
