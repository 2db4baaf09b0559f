// The snippets of docs/autograd.md, but for apps/examples/scalar_autograd.cpp.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include <string>

#include "kernels/elementwise/elementwise.h"

using namespace imago;

TEST_CASE("autograd: backward fills .grad, and adds to what is there") {
  const Var w = parameter(Tensor::from<float>({1, 2, 3}, {3}));
  ops::sum(ops::square(w)).backward();
  CHECK(w.grad().tensor().data<float>()[2] == 6);  // d sum w^2 / d w = 2 w
  ops::sum(w).backward();
  CHECK(w.grad().tensor().data<float>()[2] == 7);
}

TEST_CASE("autograd: the gradient of a gradient") {
  const Var x = parameter(Tensor::scalar(3, DType::f64));
  const Var y = ops::mul(ops::square(x), x);                     // x^3
  const Var dy = grad({y}, {x}, {}, {.create_graph = true})[0];  // 3 x^2, recorded
  const Var d2y = grad({dy}, {x})[0];                            // 6 x
  CHECK(dy.item() == 27);
  CHECK(d2y.item() == 18);
}

TEST_CASE("autograd: a gradient penalty") {
  const Var x = parameter(Tensor::from<double>({1, 2}, {1, 2}));  // (N, features)
  const Var w = parameter(Tensor::from<double>({3, 4}, {2, 1}));
  const Var score = ops::sum(ops::matmul(x, w));
  const Var slope = grad({score}, {x}, {}, {.create_graph = true})[0];  // w again, but recorded
  const Var penalty = ops::sum(ops::square(slope));                     // |d score / d x|^2
  penalty.backward();
  CHECK(penalty.item() == 25);
  CHECK(w.grad().tensor().data<double>()[0] == 6);  // 2 w
  CHECK(w.grad().tensor().data<double>()[1] == 8);
}

TEST_CASE("autograd: a graph is used once unless kept") {
  const Var x = parameter(Tensor::scalar(2));
  const Var y = ops::square(x);
  y.backward({}, {.retain_graph = true});
  y.backward();                          // frees what was saved
  CHECK_THROWS_AS(y.backward(), Error);  // says so, and names retain_graph
  CHECK(x.grad().item() == 8);           // twice 2 x; the refused one added nothing
}

namespace {

class CubeFunction final : public Function {
 public:
  CubeFunction() : Function("cube") {}
  Vars backward(const Vars& g) override {  // dy -> dy 3 x^2, made of operations on Vars
    return {ops::mul(g[0], ops::scale(ops::square(saved(0)), 3.0))};
  }
};

Var cube(const Var& x) {
  const auto node = record<CubeFunction>({x});  // null when there is nothing to record
  if (node) node->save(x);
  return attach(node, kernels::mul(kernels::square(x.tensor()), x.tensor()));
}

class WrongCubeFunction final : public Function {
 public:
  WrongCubeFunction() : Function("wrong_cube") {}
  Vars backward(const Vars& g) override {
    return {ops::mul(g[0], ops::scale(ops::square(saved(0)), 2.0))};
  }
};

Var wrong_cube(const Var& x) {
  const auto node = record<WrongCubeFunction>({x});
  if (node) node->save(x);
  return attach(node, kernels::mul(kernels::square(x.tensor()), x.tensor()));
}

}  // namespace

TEST_CASE("autograd: an operation of one's own, checked") {
  const Var x = parameter(Tensor::from<double>({-1.5, 0.3, 2.0}, {3}));
  const Differentiable f = [](const Vars& inputs) { return Vars{cube(inputs[0])}; };
  CHECK(gradcheck(f, {x}).ok);
  CHECK(gradgradcheck(f, {x}).ok);

  // With a factor of 2 in place of 3 in backward:
  const Differentiable wrong = [](const Vars& inputs) { return Vars{wrong_cube(inputs[0])}; };
  CHECK_FALSE(gradcheck(wrong, {x}).ok);
}
