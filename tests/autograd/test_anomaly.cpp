#include "autograd/anomaly.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "autograd/engine.h"
#include "autograd/ops/conv2d.h"
#include "autograd/ops/log.h"
#include "autograd/ops/matmul.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sqrt.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "tensor/layer_scope.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

const double inf = std::numeric_limits<double>::infinity();

Var leaf(std::initializer_list<float> values) {
  return parameter(Tensor::from<float>(values, {static_cast<std::int64_t>(values.size())}));
}

}  // namespace

TEST_CASE("anomaly: the forward operation that made the first NaN is named with its layer") {
  for_each_device([](Device) {
    const Var x = leaf({1, -2, 3});
    const std::string net = "D", layer = "layers.4";
    const AnomalyScope scope;
    const std::string message = error_of([&] {
      const LayerScope outer(net), inner(layer);
      ops::sum(ops::log(x));
    });
    CHECK(contains(message, "[anomaly] 'log' made 1 NaN and 0 infinite of 3 values of (3,) f32"));
    CHECK(contains(message, "the first at (1,)"));
    CHECK(contains(message, "input 0, (3,) f32, is within [-2, 3]"));
    CHECK(contains(message, "(in layer D.layers.4)"));
  });
}

TEST_CASE("anomaly: an operation is named where nothing is recorded too") {
  const NoGrad no_grad;
  const AnomalyScope scope;
  CHECK(contains(error_of([&] {
                   ops::log(leaf({1, 0}));
                 }),
                 "'log' made 0 NaN and 1 infinite of 2 values"));
}

TEST_CASE("anomaly: of an operation that is made of others the outer one is named") {
  for_each_device([](Device) {
    const Var images(Tensor::full({1, 3, 3, 1}, 1e38)), weight(Tensor::full({1, 3, 3, 1}, 1e38));
    const Var rows(Tensor::full({2, 3}, 1e38));
    const auto named = [](const char* op, const std::function<void()>& f) {
      const AnomalyScope scope;
      const std::string message = error_of(f);
      INFO(message);
      CHECK(contains(message, std::string("[anomaly] '") + op + "' made"));
    };
    {
      const NoGrad no_grad;
      named("conv2d", [&] { ops::conv2d(images, weight, {}); });
      named("gemm", [&] { ops::matmul(rows, Var(Tensor::full({3, 2}, 1e38))); });
    }
    const Var x = parameter(Tensor::full({1, 3, 3, 1}, 1));
    const Var y = ops::conv2d(x, Var(Tensor::full({1, 2, 2, 1}, 1e38)), {});
    named("conv2d_input_grad", [&] { backward({y}, {Var(Tensor::full(y.shape(), 10))}); });
  });
}

TEST_CASE("anomaly: in backward the operation, its forward and its layer are named") {
  for_each_device([](Device) {
    const Var x = leaf({4, 0, 1});
    const std::string layer = "norm";
    const AnomalyScope scope;
    Var y;
    {
      const LayerScope inside(layer);
      y = ops::sqrt(x);  // its slope at 0 is infinite
    }
    const std::string message = error_of([&] { ops::sum(y).backward(); });
    CHECK(contains(message, "0 NaN and 1 infinite"));
    CHECK(contains(message, "in the backward of 'sqrt', called in layer norm"));
    CHECK(contains(message, "(in layer norm)"));
    CHECK(!x.grad().defined());
  });
}

TEST_CASE("anomaly: the layer of the forward is known in backwards of backwards") {
  const Var x = leaf({1e-30f});
  const std::string layer = "deep";
  const AnomalyScope scope;
  Var y;
  {
    const LayerScope inside(layer);
    y = ops::sqrt(x);
  }
  const Vars first = grad({ops::sum(y)}, {x}, {}, {.create_graph = true});
  CHECK(std::isfinite(first[0].tensor().to(Device::cpu()).data<float>()[0]));
  // d2/dx2 sqrt(x) = -1/4 x^-3/2 is -2.5e44, which f32 does not hold.
  const std::string message = error_of([&] { grad({ops::sum(first[0])}, {x}); });
  CHECK(contains(message, "[anomaly]"));
  CHECK(contains(message, "called in layer deep"));
}

TEST_CASE("anomaly: a NaN that came from outside is told from one that was made") {
  const Var bad = leaf({1, std::numeric_limits<float>::quiet_NaN()});
  const Var good = leaf({2, 3});
  const AnomalyScope scope;
  const std::string message = error_of([&] { ops::mul(good, bad); });
  CHECK(contains(message, "input 0, (2,) f32, is within [2, 3]"));
  CHECK(contains(message, "input 1, (2,) f32, was not finite before: 1 NaN"));
  CHECK(contains(message, "made elsewhere"));
}

TEST_CASE("anomaly: what is finite passes, and outside of the scope nothing is looked at") {
  const Var x = leaf({1, 2});
  {
    const AnomalyScope scope;
    ops::sum(ops::log(x)).backward();
    CHECK(x.grad().tensor().to(Device::cpu()).data<float>()[1] == 0.5f);
  }
  CHECK(error_of([] { ops::log(leaf({-1})); }).empty());
  CHECK(Observer::current() == nullptr);
}

TEST_CASE("anomaly: after the error a scope goes on, and observers nest") {
  const AnomalyScope outer;
  {
    const AnomalyScope inner;
    CHECK(contains(error_of([] { ops::log(leaf({-1})); }), "[anomaly]"));
  }
  CHECK(Observer::current() == &outer);
  CHECK(contains(error_of([] { ops::log(leaf({-1})); }), "[anomaly] 'log'"));
  CHECK(error_of([] { ops::log(leaf({1})); }).empty());
}

TEST_CASE("anomaly: finiteness counts, finds the first and keeps the range of the rest") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Finiteness f =
      finiteness_of(Tensor::from<float>({-1, infinity, nan, 2, -infinity, 0}, {2, 3}));
  CHECK(f.nan == 1);
  CHECK(f.infinite == 2);
  CHECK(f.first == 1);
  CHECK(f.smallest == -1);
  CHECK(f.largest == 2);
  CHECK(finiteness_of(Tensor::full({3}, 7, DType::i64)).all_finite());
  CHECK(finiteness_of(Tensor::full({2}, inf, DType::bf16)).infinite == 2);
  CHECK(finiteness_of(Tensor::full({2}, inf, DType::f64)).largest == 0);
  CHECK(finiteness_of(Tensor()).all_finite());
}
