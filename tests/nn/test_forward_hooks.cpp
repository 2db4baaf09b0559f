#include <doctest/doctest.h>

#include "autograd/ops/sum_to.h"
#include "nn/layers.h"
#include "tensor/layer_scope.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

nn::Sequential network() {
  nn::Sequential net;
  net.add(nn::Linear({.in = 3, .out = 4})).add(nn::Tanh()).add(nn::Linear({.in = 4, .out = 2}));
  return net;
}

}  // namespace

TEST_CASE("forward hooks: module, input and output of each call, in the order of the layers") {
  nn::Sequential net = network();
  std::vector<std::string> seen;
  std::vector<HookHandle> handles;
  net.visit([&](const std::string& name, nn::Module& m) {
    handles.push_back(
        m.register_forward_hook([&seen, name](nn::Module& module, const Var& x, const Var& y) {
          seen.push_back(name + " " + module.type_name() + " " + x.shape().to_string() + " " +
                         y.shape().to_string() + " in " + LayerScope::path());
        }));
  });
  net.set_name("net");
  net(Var(normals({5, 3}, DType::f32, 1)));
  CHECK(seen == std::vector<std::string>{"layers.0 Linear (5, 3) (5, 4) in net.layers.0",
                                         "layers.1 Tanh (5, 4) (5, 4) in net.layers.1",
                                         "layers.2 Linear (5, 4) (5, 2) in net.layers.2",
                                         " Sequential (5, 3) (5, 2) in net"});
  handles.clear();
  net(Var(normals({5, 3}, DType::f32, 1)));
  CHECK(seen.size() == 4);
}

TEST_CASE("forward hooks: an activation and its gradient, together") {
  nn::Sequential net = network();
  const Var x(normals({5, 3}, DType::f32, 1));
  Tensor activation, gradient;
  HookHandle of_gradient;
  const HookHandle of_activation =
      net[1].register_forward_hook([&](nn::Module&, const Var&, const Var& y) {
        activation = y.tensor();
        of_gradient = y.register_hook([&](const Var& g) { gradient = g.tensor(); });
      });
  const Var loss = ops::sum(net(x));
  REQUIRE(activation.shape() == Shape{5, 4});
  loss.backward();
  REQUIRE(gradient.shape() == Shape{5, 4});
  // d sum(W a + b) / da is the sum of the rows of W.
  const Tensor w = to_f64(net.parameters()[2].tensor()), g = to_f64(gradient);
  for (int i = 0; i < 4; ++i) {
    CHECK(g.data<double>()[i] == doctest::Approx(w.data<double>()[i] + w.data<double>()[4 + i]));
  }
}

TEST_CASE("forward hooks: they move with their module and may outlive it") {
  int calls = 0;
  HookHandle outlives;
  {
    nn::Linear layer({.in = 3, .out = 4});
    outlives = layer.register_forward_hook([&](nn::Module&, const Var&, const Var&) { ++calls; });
    nn::Sequential net;
    net.add(std::move(layer));
    net(Var(normals({5, 3}, DType::f32, 1)));
    CHECK(calls == 1);
  }
  outlives.remove();
  nn::Linear layer({.in = 3, .out = 4});
  layer.register_forward_hook([&](nn::Module&, const Var&, const Var&) { ++calls; }).keep();
  layer(Var(normals({5, 3}, DType::f32, 1)));
  CHECK(calls == 2);
}

TEST_CASE("forward hooks: batch norm fused with its activation is seen, with its layer") {
  nn::ConvBlock block({.in = 2, .out = 3, .kernel = 1, .activation = nn::Activation::relu});
  std::string path;
  double smallest = -1;
  const HookHandle handle =
      block.norm().register_forward_hook([&](nn::Module&, const Var&, const Var& y) {
        path = LayerScope::path();
        const Tensor values = to_f64(y.tensor());
        smallest = values.data<double>()[0];
        for (std::int64_t i = 0; i < values.numel(); ++i) {
          smallest = std::min(smallest, values.data<double>()[i]);
        }
      });
  block(Var(normals({2, 4, 4, 2}, DType::f32, 1)));
  CHECK(path == "norm");
  CHECK(smallest == 0);
}

TEST_CASE("errors inside a network name the layer by its path") {
  nn::Sequential net = network();
  CHECK(contains(error_of([&] {
                   net(Var(normals({5, 4}, DType::f32, 1)));
                 }),
                 "[Linear] expects (N, 3) but the input is (5, 4)"));
  net.set_name("D");
  const std::string message = error_of([&] { net(Var(normals({5, 4}, DType::f32, 1))); });
  CHECK(message.ends_with("(in layer D.layers.0)"));
}

TEST_CASE("modules are called by the name of their class") {
  class Own final : public nn::Module {
   public:
    Var forward(const Var& x) override { return x; }
  };
  CHECK(Own().type_name() == "Own");
  CHECK(nn::LeakyReLU().type_name() == "LeakyReLU");
  CHECK(network().type_name() == "Sequential");
}
