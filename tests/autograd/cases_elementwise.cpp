#include "autograd/ops/abs.h"
#include "autograd/ops/abs_grad.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/div.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/leaky_relu.h"
#include "autograd/ops/leaky_relu_grad.h"
#include "autograd/ops/log.h"
#include "autograd/ops/neg.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/relu_grad.h"
#include "autograd/ops/sigmoid.h"
#include "autograd/ops/sigmoid_grad.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/tanh.h"
#include "autograd/ops/tanh_grad.h"
#include "op_case.h"

namespace imago::test {
namespace {

OpCase of_one(const char* op, const Range& range, const std::function<Var(const Var&)>& f,
              Serial serial = Serial::none) {
  return {op, "",
          [range](DType t, Size s) {
            return leaves(t, {taller({3, 5}, s)}, range);
          },
          [f](const Vars& v) { return Vars{f(v[0])}; }, serial};
}

OpCase of_two(const char* op, const char* name, const Shape& a, const Shape& b, const Range& range,
              const std::function<Var(const Var&, const Var&)>& f) {
  return {op, name,
          [a, b, range](DType t, Size s) {
            return leaves(t, {taller(a, s), a.dim() == b.dim() ? taller(b, s) : b}, range);
          },
          [f](const Vars& v) { return Vars{f(v[0], v[1])}; }};
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  const Range positive{0.3, 3}, kinked{-2, 2, {0}}, wide{-3, 3};
  const Shape s{3, 5};
  const DrawKey key{.seed = 3, .step = 1, .draw = 4};
  return {
      of_one("neg", wide, [](const Var& x) { return ops::neg(x); }),
      of_one("exp", wide, [](const Var& x) { return ops::exp(x); }),
      of_one("log", positive, [](const Var& x) { return ops::log(x); }),
      of_one("sqrt", positive, [](const Var& x) { return ops::sqrt(x); }),
      of_one("square", wide, [](const Var& x) { return ops::square(x); }),
      of_one("abs", kinked, [](const Var& x) { return ops::abs(x); }),
      of_one("tanh", wide, [](const Var& x) { return ops::tanh(x); }),
      of_one("sigmoid", wide, [](const Var& x) { return ops::sigmoid(x); }),
      of_one("softplus", wide, [](const Var& x) { return ops::softplus(x); }),
      of_one("relu", kinked, [](const Var& x) { return ops::relu(x); }),
      of_one("leaky_relu", kinked, [](const Var& x) { return ops::leaky_relu(x, 0.2); }),
      of_one(
          "add_scalar", wide, [](const Var& x) { return ops::add_scalar(x, 1.5); },
          Serial::backward),
      of_one("dropout", wide, [key](const Var& x) { return ops::dropout(x, 0.4, key); }),
      // In f64 this casts nothing: a numeric derivative through f32 would see its rounding only.
      // test_cast.cpp checks the derivatives of real casts.
      {"cast", "to f64 and back", [](DType t, Size size) { return leaves(t, {taller({4}, size)}); },
       [](const Vars& v) { return Vars{ops::cast(ops::cast(v[0], DType::f64), v[0].dtype())}; }},
      of_two("sub", "same shape", {2, 3}, {2, 3}, wide, ops::sub),
      of_two("sub", "both broadcast", {2, 1, 3}, {4, 1}, wide, ops::sub),
      of_two("div", "same shape", {2, 3}, {2, 3}, positive, ops::div),
      of_two("div", "per channel", {2, 2, 3}, {3}, positive, ops::div),
      of_two("div", "both broadcast", {2, 1, 3}, {4, 1}, positive, ops::div),
      of_two("tanh_grad", "", s, s, {-0.9, 0.9}, ops::tanh_grad),
      of_two("sigmoid_grad", "", s, s, {0.1, 0.9}, ops::sigmoid_grad),
      of_two("relu_grad", "", s, s, kinked, ops::relu_grad),
      of_two("abs_grad", "", s, s, kinked, ops::abs_grad),
      of_two("leaky_relu_grad", "", s, s, kinked,
             [](const Var& dy, const Var& x) { return ops::leaky_relu_grad(dy, x, 0.2); }),
  };
}

}  // namespace imago::test
