#include "autograd/engine.h"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "autograd/gradcheck.h"
#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "tests/support/devices.h"

using namespace imago;

namespace {

Var leaf(double value) {
  return parameter(Tensor::scalar(value, DType::f64));
}

const std::byte* address_of(const Var& v) {
  return v.device().is_cpu() ? v.tensor().bytes() : v.tensor().device_bytes();
}

// A "square" whose gradient is wrong, and one whose gradient forgets its history.
class WrongFunction final : public Function {
 public:
  WrongFunction() : Function("wrong") {}
  Vars backward(const Vars& g) override { return {ops::mul(g[0], saved(0))}; }  // should be 2 x
};
class DetachedFunction final : public Function {
 public:
  DetachedFunction() : Function("detached") {}
  Vars backward(const Vars& g) override {
    return {ops::scale(ops::mul(g[0], saved(0)), 2).detach()};
  }
};

template <class F>
Vars broken_square(const Vars& v) {
  const auto node = record<F>({v[0]});
  if (node) node->save(v[0]);
  const NoGrad no_grad;
  return {attach(node, ops::mul(v[0], v[0]).tensor())};
}

}  // namespace

TEST_CASE("a value used twice gets the sum of both gradients") {
  test::for_each_device([&](Device) {
    const Var x = leaf(3);
    const Var y = ops::add(ops::mul(x, x), x);  // x^2 + x
    y.backward();
    CHECK(x.grad().item() == 7);
  });
}

TEST_CASE("backward accumulates until zero_grad, at one address") {
  test::for_each_device([&](Device) {
    Var x = leaf(2);
    ops::mul(x, x).backward();
    const std::byte* address = address_of(x.grad());
    ops::mul(x, x).backward();
    CHECK(x.grad().item() == 8);
    CHECK(address_of(x.grad()) == address);
    x.zero_grad();
    CHECK_FALSE(x.grad().defined());
    ops::mul(x, x).backward();
    CHECK(x.grad().item() == 4);
    CHECK(address_of(x.grad()) == address);
  });
}

TEST_CASE("grad differentiates repeatedly and leaves .grad alone") {
  test::for_each_device([&](Device) {
    const Var x = leaf(2);
    const Var y = ops::mul(ops::mul(x, x), x);
    const Var d1 = grad({y}, {x}, {}, {.create_graph = true})[0];
    const Var d2 = grad({d1}, {x}, {}, {.create_graph = true})[0];
    const Var d3 = grad({d2}, {x})[0];
    CHECK(d1.item() == 12);
    CHECK(d2.item() == 12);
    CHECK(d3.item() == 6);
    CHECK_FALSE(x.grad().defined());
  });
}

TEST_CASE("grad with respect to an intermediate value") {
  test::for_each_device([&](Device) {
    const Var x = leaf(3);
    const Var h = ops::mul(x, x);
    const Var y = ops::mul(h, h);
    const Vars g = grad({y}, {h, x});
    CHECK(g[0].item() == 18);
    CHECK(g[1].item() == 108);
  });
}

TEST_CASE("detach and NoGrad stop gradients") {
  test::for_each_device([&](Device) {
    const Var x = leaf(3);
    ops::mul(x, x.detach()).backward();
    CHECK(x.grad().item() == 3);
    const NoGrad no_grad;
    CHECK_FALSE(ops::mul(x, x).requires_grad());
  });
}

TEST_CASE("a second backward names retain_graph; with it, it works") {
  const Var x = leaf(3);
  const Var y = ops::mul(x, x);
  y.backward({}, {.retain_graph = true});
  y.backward();
  CHECK(x.grad().item() == 12);
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("retain_graph"), Error);
}

TEST_CASE("a freed graph is refused whole, even where it saved nothing, and .grad stays") {
  const Var x = leaf(3), w = leaf(5);
  const Var h = ops::scale(x, 2);  // neither scale nor add saves a value
  ops::add(h, h).backward();
  CHECK(x.grad().item() == 4);
  // The walk would reach w before it reaches the freed part.
  const Var y = ops::add(ops::scale(h, 7), w);
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("[scale] the values saved"), Error);
  CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("retain_graph"), Error);
  CHECK(x.grad().item() == 4);
  CHECK_FALSE(w.grad().defined());
  CHECK_THROWS_WITH_AS(grad({y}, {x}), doctest::Contains("retain_graph"), Error);
  // What lies behind the freed part is not asked for here.
  CHECK(grad({y}, {w, h}, {}, {.retain_graph = true})[1].item() == 7);
  CHECK(grad({y}, {w})[0].item() == 1);
}

TEST_CASE("a graph recorded by two threads is walked in the order it was recorded") {
  const Var x = leaf(3);
  Var h = x;
  for (int i = 0; i < 20; ++i) h = ops::add(h, h);
  Var y;
  std::thread other([&] { y = ops::add(ops::mul(h, h), h); });
  other.join();
  const Var z = ops::add(y, h);
  CHECK(grad({z}, {x})[0].item() == 2 * 3 * std::pow(2.0, 40) + 2 * std::pow(2.0, 20));
}

TEST_CASE("a gradient recorded with create_graph is added to like any other") {
  test::for_each_device([&](Device) {
    const Var x = leaf(2);
    ops::mul(x, x).backward({}, {.create_graph = true});
    CHECK(x.grad().requires_grad());
    ops::mul(x, x).backward();
    CHECK(x.grad().item() == 8);
    CHECK_FALSE(x.grad().requires_grad());
    const std::byte* address = address_of(x.grad());
    const auto version = x.grad().tensor().version();
    ops::mul(x, x).backward();
    CHECK(x.grad().item() == 12);
    CHECK(address_of(x.grad()) == address);
    CHECK(x.grad().tensor().version() > version);
  });
}

TEST_CASE("with create_graph each leaf's gradient has memory of its own") {
  test::for_each_device([&](Device) {
    const Var a = leaf(2), b = leaf(3), w = leaf(5);
    const Var seed = Tensor::scalar(7, DType::f64);
    ops::mul(w, ops::add(a, b)).backward(seed, {.create_graph = true});
    CHECK(a.grad().item() == 35);
    CHECK(b.grad().item() == 35);
    CHECK_FALSE(a.grad().tensor().shares_storage(b.grad().tensor()));
    // A change in place of one, as clipping makes, leaves the graph of the other as it was.
    Tensor gradient = a.grad().tensor();
    gradient.copy_from(Tensor::scalar(1, DType::f64));
    CHECK(grad({b.grad()}, {w}, {}, {.retain_graph = true})[0].item() == 7);
    CHECK(grad({a.grad()}, {w})[0].item() == 7);
    // These gradients have histories that lead to the leaves that own them.
    for (Var leaf : {a, b, w}) leaf.zero_grad();

    const Var c = leaf(1), d = leaf(1);
    ops::add(c, d).backward(seed, {.create_graph = true});
    CHECK_FALSE(c.grad().tensor().shares_storage(seed.tensor()));
    CHECK_FALSE(c.grad().tensor().shares_storage(d.grad().tensor()));
  });
}

TEST_CASE("a tensor replaced between forward and backward is an error that names the operation") {
  test::for_each_device([&](Device) {
    const Var x = leaf(3);
    const Var y = ops::mul(x, x);
    x.impl()->tensor = Tensor::scalar(4, DType::f64);  // as Module::to does
    CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("[mul] the tensor of a value of shape ()"),
                         Error);
    CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("was replaced"), Error);
  });
}

TEST_CASE("an in-place change between forward and backward is an error that names the operation") {
  test::for_each_device([&](Device) {
    const Var x = leaf(3);
    const Var y = ops::mul(x, x);
    Tensor memory = x.tensor();
    memory.copy_from(Tensor::scalar(4, DType::f64));
    CHECK_THROWS_WITH_AS(y.backward(), doctest::Contains("[mul] a value of shape ()"), Error);
  });
}

TEST_CASE("mistakes are named") {
  const Var x = parameter(Tensor::zeros({2}, DType::f64));
  CHECK_THROWS_WITH_AS(ops::mul(x, x).backward(), doctest::Contains("not a scalar"), Error);
  CHECK_THROWS_WITH_AS(x.detach().backward(Tensor::zeros({2}, DType::f64)),
                       doctest::Contains("does not depend on anything"), Error);
  CHECK_THROWS_AS(parameter(Tensor::zeros({2}, DType::i64)), Error);
  CHECK_THROWS_AS(ops::mul(x, x).set_requires_grad(false), Error);
  const Var unused = leaf(1);
  CHECK_THROWS_WITH_AS(grad({ops::sum(x)}, {unused}), doctest::Contains("allow_unused"), Error);
  CHECK_FALSE(grad({ops::sum(x)}, {unused}, {}, {.allow_unused = true})[0].defined());
}

TEST_CASE("seeds are made where the output is, and given ones must be there") {
  for (const Device device : test::devices()) {
    const Var x = parameter(Tensor::full({}, 3, DType::f64, device));  // not the Context's device
    const Var y = ops::mul(x, x);
    y.backward({}, {.retain_graph = true});
    CHECK(x.grad().device() == device);
    CHECK(x.grad().item() == 6);
    for (const Device other : test::devices()) {
      if (other == device) continue;
      const Var seed(Tensor::full({}, 1, DType::f64, other));
      CHECK_THROWS_WITH_AS(y.backward(seed), doctest::Contains("[backward] the seed is on "),
                           Error);
    }
    CHECK(x.grad().item() == 6);
  }
}

TEST_CASE("very deep graphs are walked and destroyed without recursion") {
  const Var x = leaf(1);
  Var y = x;
  for (int i = 0; i < 300'000; ++i) y = ops::scale(y, 1.0);
  y.backward({}, {.retain_graph = true});
  CHECK(x.grad().item() == 1);
  CHECK(grad({y}, {x})[0].item() == 1);
}

TEST_CASE("gradcheck fails on a wrong gradient and gradgradcheck on a detached one") {
  test::for_each_device([&](Device) {
    CHECK_FALSE(gradcheck(broken_square<WrongFunction>, {leaf(1.5)}).ok);
    CHECK(gradcheck(broken_square<DetachedFunction>, {leaf(1.5)}).ok);
    const GradcheckResult result = gradgradcheck(broken_square<DetachedFunction>, {leaf(1.5)});
    CHECK_FALSE(result.ok);
    CHECK(result.message.find("does not require a gradient") != std::string::npos);
  });
}

TEST_CASE("gradcheck fails on NaN") {
  test::for_each_device([&](Device) {
    const Differentiable nan = [](const Vars& v) { return Vars{ops::scale(v[0], std::nan(""))}; };
    CHECK_FALSE(gradcheck(nan, {leaf(1)}).ok);
  });
}
