#include "autograd/hooks.h"

#include <doctest/doctest.h>

#include <optional>

#include "autograd/engine.h"
#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

Var leaf(double value) {
  return parameter(Tensor::scalar(value, DType::f64));
}

}  // namespace

TEST_CASE("hooks: the gradient of a result is told once, when all its users have added theirs") {
  for_each_device([](Device) {
    const Var x = leaf(3);
    const Var y = ops::scale(x, 2);             // 6
    const Var z = ops::add(ops::mul(y, y), y);  // y^2 + y
    std::vector<double> seen;
    const HookHandle handle = y.register_hook([&](const Var& g) { seen.push_back(g.item()); });
    z.backward();
    CHECK(seen == std::vector<double>{13});
    CHECK(x.grad().item() == 26);
  });
}

TEST_CASE("hooks: the gradient of a leaf is told whole, without what .grad held before") {
  const Var x = leaf(3);
  std::vector<double> seen;
  const HookHandle handle = x.register_hook([&](const Var& g) {
    CHECK(!g.requires_grad());
    seen.push_back(g.item());
  });
  ops::add(ops::mul(x, x), x).backward();  // 2 x + 1
  ops::add(ops::mul(x, x), x).backward();
  CHECK(seen == std::vector<double>{7, 7});
  CHECK(x.grad().item() == 14);
}

TEST_CASE("hooks: grad() tells them too, and only those on its way") {
  const Var x = leaf(3), other = leaf(5);
  const Var y = ops::mul(x, other);
  double of_x = 0, of_y = 0;
  int of_other = 0;
  const HookHandle a = x.register_hook([&](const Var& g) { of_x = g.item(); });
  const HookHandle b = other.register_hook([&](const Var&) { of_other += 1; });
  const HookHandle c = y.register_hook([&](const Var& g) { of_y = g.item(); });
  const Vars g = grad({ops::mul(y, y)}, {x});
  CHECK(g[0].item() == 2 * 15 * 5);
  CHECK(of_x == 150);
  CHECK(of_y == 30);
  CHECK(of_other == 0);
  // An output that is wanted itself is told as well.
  of_y = 0;
  grad({ops::mul(y, y)}, {y});
  CHECK(of_y == 30);
}

TEST_CASE("hooks: with create_graph the gradient can be differentiated again") {
  const Var x = leaf(3);
  const Var y = ops::mul(x, x);
  Var of_y;
  const HookHandle handle = y.register_hook([&](const Var& g) { of_y = g; });
  const Var z = ops::mul(y, y);  // x^4; dz/dy = 2 x^2
  const Vars first = grad({z}, {x}, {}, {.create_graph = true});
  REQUIRE(of_y.requires_grad());
  CHECK(of_y.item() == 18);
  CHECK(grad({of_y}, {x})[0].item() == 12);  // d (2 x^2) / dx
  of_y = Var();
}

TEST_CASE("hooks: without create_graph a hook computes constants") {
  const Var x = leaf(3);
  const Var y = ops::mul(x, x);
  bool recorded = true;
  const HookHandle handle =
      y.register_hook([&](const Var& g) { recorded = ops::mul(g, x).requires_grad(); });
  ops::scale(y, 2).backward();
  CHECK(!recorded);
}

TEST_CASE("hooks: they go with their handle, in any order with what they hook") {
  const Var x = leaf(3);
  int calls = 0;
  {
    const HookHandle handle = x.register_hook([&](const Var&) { calls += 1; });
    ops::scale(x, 2).backward();
  }
  ops::scale(x, 2).backward();
  CHECK(calls == 1);

  HookHandle first = x.register_hook([&](const Var&) { calls += 10; });
  HookHandle moved = std::move(first);
  first.remove();  // nothing left in it
  ops::scale(x, 2).backward();
  CHECK(calls == 11);
  moved = x.register_hook([&](const Var&) { calls += 100; });  // the one before goes
  ops::scale(x, 2).backward();
  CHECK(calls == 111);
  moved.remove();
  x.register_hook([&](const Var&) { calls += 1000; }).keep();
  ops::scale(x, 2).backward();
  CHECK(calls == 1111);

  std::optional<Var> short_lived = ops::scale(x, 2);
  HookHandle outlives = short_lived->register_hook([&](const Var&) { calls += 1; });
  short_lived.reset();
  outlives.remove();
}

TEST_CASE("hooks: one that is dropped with its Var still hears while the graph lives") {
  const Var x = leaf(3);
  double seen = 0;
  Var z;
  HookHandle handle;
  {
    const Var y = ops::scale(x, 2);
    handle = y.register_hook([&](const Var& g) { seen = g.item(); });
    z = ops::mul(y, y);
  }
  z.backward();
  CHECK(seen == 12);
}

TEST_CASE("hooks: a hook may take itself out, and they run in the order they came") {
  const Var x = leaf(3);
  std::string order;
  HookHandle first;
  first = x.register_hook([&](const Var&) {
    order += 'a';
    first.remove();
  });
  const HookHandle second = x.register_hook([&](const Var&) { order += 'b'; });
  ops::scale(x, 2).backward();
  ops::scale(x, 2).backward();
  CHECK(order == "abb");
}

TEST_CASE("hooks: a frozen leaf hears nothing; a constant cannot be hooked") {
  Var x = leaf(3);
  const Var y = ops::mul(x, leaf(2));
  int calls = 0;
  const HookHandle handle = x.register_hook([&](const Var&) { calls += 1; });
  x.set_requires_grad(false);
  y.backward();
  CHECK(calls == 0);
  const std::string message = error_of(
      [&] { const HookHandle none = Var(Tensor::scalar(1)).register_hook([](const Var&) {}); });
  CHECK(contains(message, "does not require a gradient"));
}

TEST_CASE("hooks: each output of an operation has hooks of its own") {
  // A function of two outputs, x and 2 x.
  struct TwoFunction final : Function {
    TwoFunction() : Function("two") {}
    Vars backward(const Vars& g) override {
      Var sum;
      if (g[0]) sum = g[0];
      if (g[1]) sum = sum ? ops::add(sum, ops::scale(g[1], 2)) : ops::scale(g[1], 2);
      return {sum};
    }
  };
  const Var x = leaf(3);
  const auto node = record<TwoFunction>({x});
  const Var a = attach(node, x.tensor().clone());
  const Var b = attach(node, ops::scale(x.detach(), 2).tensor());
  double of_a = -1, of_b = -1;
  const HookHandle ha = a.register_hook([&](const Var& g) { of_a = g.item(); });
  const HookHandle hb = b.register_hook([&](const Var& g) { of_b = g.item(); });
  ops::scale(b, 5).backward();
  CHECK(of_a == -1);  // zero, and never computed
  CHECK(of_b == 5);
  CHECK(x.grad().item() == 10);
}
