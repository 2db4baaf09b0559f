#include "nn/module.h"

#include <doctest/doctest.h>

#include <type_traits>

#include "autograd/ops/add.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/sum_to.h"
#include "nn/conv2d.h"
#include "nn/conv_transpose2d.h"
#include "nn/linear.h"
#include "nn/sequential.h"
#include "nn/shape_layers.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

// factor * x, with a buffer that counts calls.
class Scale final : public nn::Module {
 public:
  explicit Scale(int channels)
      : factor_(add_parameter("factor", Tensor::full({channels}, 2.0))),
        calls_(add_buffer("calls", Tensor::zeros({1}, DType::i64))) {}
  Var forward(const Var& x) override {
    Tensor calls = calls_.tensor();
    calls.copy_from(Tensor::full({1}, calls.item() + 1, DType::i64));
    return ops::mul(x, factor_);
  }

 private:
  Var factor_, calls_;
};

nn::Sequential small_network() {
  nn::Sequential inner;
  inner.add(Scale(3));
  nn::Sequential net;
  net.add(nn::Conv2d({.in = 2, .out = 3, .kernel = 3, .padding = Padding::same(1)}))
      .add(std::move(inner))
      .add(nn::Flatten())
      .add(nn::Linear({.in = 4 * 4 * 3, .out = 2, .bias = false}));
  return net;
}

std::vector<std::string> names_of(const nn::NamedVars& vars) {
  std::vector<std::string> names;
  for (const auto& [name, var] : vars) names.push_back(name);
  return names;
}

static_assert(!std::is_copy_constructible_v<nn::Sequential>);
static_assert(!std::is_copy_assignable_v<nn::Sequential>);
static_assert(std::is_move_constructible_v<nn::Sequential>);
static_assert(std::is_move_assignable_v<nn::Sequential>);
static_assert(!std::is_copy_constructible_v<nn::Linear>);
static_assert(std::is_move_constructible_v<nn::Linear>);

}  // namespace

TEST_CASE("module: parameters and buffers have dotted names in the order of the layers") {
  nn::Sequential net = small_network();
  CHECK(names_of(net.named_parameters()) ==
        std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.layers.0.factor",
                                 "layers.3.weight"});
  CHECK(names_of(net.named_buffers()) == std::vector<std::string>{"layers.1.layers.0.calls"});
  CHECK(net.parameters().size() == 4);
  CHECK(net.num_parameters() == 3 * 3 * 3 * 2 + 3 + 3 + 2 * 48);
  CHECK(net.state_dict().size() == 5);
  std::vector<std::string> visited;
  net.visit([&](const std::string& name, nn::Module&) { visited.push_back(name); });
  CHECK(visited == std::vector<std::string>{"", "layers.0", "layers.1", "layers.1.layers.0",
                                            "layers.2", "layers.3"});
  CHECK(contains(error_of([&] { net[9]; }), "no layer 9"));
}

TEST_CASE("module: a network survives moving, with its weights at their addresses") {
  nn::Sequential net = small_network();
  const Var x(normals({2, 4, 4, 2}, DType::f32, 1));
  const Tensor before = net(x).tensor();
  const Tensor weight = net.parameters()[0].tensor();
  nn::Sequential moved = std::move(net);
  CHECK(moved.parameters()[0].tensor().shares_storage(weight));
  CHECK(same_bits(moved(x).tensor(), before));
}

TEST_CASE("module: no two parameters share a storage") {
  nn::Sequential net = small_network();
  const Vars p = net.parameters();
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) CHECK(!p[i].tensor().shares_storage(p[j].tensor()));
  }
}

TEST_CASE("module: a parameter that shares memory with another is refused by name") {
  struct Scale final : nn::Module {
    explicit Scale(const Tensor& factor) { add_parameter("factor", factor); }
    Var forward(const Var& x) override { return x; }
  };
  struct Pair final : nn::Module {
    Pair(const Tensor& own, const Tensor& below) {
      add_parameter("own", own);
      add_child("child", Scale(below));
    }
    Var forward(const Var& x) override { return x; }
  };
  struct Halves final : nn::Module {
    explicit Halves(const Tensor& t) {
      add_parameter("low", t.slice(0, 1));
      add_parameter("high", t.slice(1, 2));
    }
    Var forward(const Var& x) override { return x; }
  };
  const Tensor t = Tensor::zeros({2});
  CHECK(contains(error_of([&] { Halves{t}; }), "parameters 'low' and 'high' share memory"));
  CHECK(contains(error_of([&] { Pair(t, t); }), "'own' and 'child.factor' share memory"));
  CHECK(error_of([&] { Pair(t, t.clone()); }).empty());
}

TEST_CASE("module: a name can be used once") {
  struct Twice final : nn::Module {
    explicit Twice(bool child) {
      add_parameter("weight", Tensor::zeros({1}));
      if (child) {
        add_child("weight", nn::Flatten());
      } else {
        add_buffer("weight", Tensor::zeros({1}));
      }
    }
    Var forward(const Var& x) override { return x; }
  };
  CHECK(contains(error_of([] { Twice(true); }), "'weight' is taken"));
  CHECK(contains(error_of([] { Twice(false); }), "'weight' is taken"));
}

TEST_CASE("module: state_dict shares memory, load_state_dict copies in place") {
  nn::Sequential a = small_network(), b = small_network();
  const Var x(normals({2, 4, 4, 2}, DType::f32, 1));
  CHECK(!same_bits(a(x).tensor(), b(x).tensor()));
  const Tensor weight = b.parameters()[0].tensor();
  const auto version = b.parameters()[0].tensor().version();
  b.load_state_dict(a.state_dict());
  CHECK(b.parameters()[0].tensor().shares_storage(weight));
  CHECK(b.parameters()[0].tensor().version() > version);
  CHECK(!b.parameters()[0].tensor().shares_storage(a.parameters()[0].tensor()));
  CHECK(same_bits(a(x).tensor(), b(x).tensor()));
  CHECK(b.state_dict().at("layers.1.layers.0.calls").item() == 2);
  CHECK(a.state_dict().at("layers.0.weight").shares_storage(a.parameters()[0].tensor()));
}

TEST_CASE("module: load_state_dict lists everything that is wrong and changes nothing") {
  nn::Sequential net = small_network();
  NamedTensors state;
  for (const auto& [name, tensor] : net.state_dict())
    state.emplace(name, Tensor::zeros_like(tensor));
  state.erase("layers.0.bias");
  state.erase("layers.1.layers.0.calls");
  state["layers.3.weight"] = Tensor::zeros({2, 47});
  state["layers.1.layers.0.factor"] = Tensor::zeros({3}, DType::f64);
  state["layers.0.wieght"] = Tensor::zeros({1});
  state["layers.0.weight"] = Tensor();
  const Tensor before = net.parameters()[0].tensor().clone();
  const std::string message = error_of([&] { net.load_state_dict(state); });
  CHECK(contains(message, "missing: layers.0.bias (3,) f32"));
  CHECK(contains(message, "missing: layers.1.layers.0.calls"));
  CHECK(contains(message, "unexpected: layers.0.wieght"));
  CHECK(contains(message, "layers.3.weight expects (2, 48) f32 but was given (2, 47) f32"));
  CHECK(contains(message, "layers.1.layers.0.factor expects (3,) f32 but was given (3,) f64"));
  CHECK(contains(message, "undefined: layers.0.weight"));
  CHECK(same_bits(net.parameters()[0].tensor(), before));
}

TEST_CASE("module: train and eval reach every layer") {
  nn::Sequential net = small_network();
  int training = 0;
  const auto count = [&] {
    training = 0;
    net.visit([&](const std::string&, nn::Module& m) { training += m.training(); });
    return training;
  };
  CHECK(count() == 6);
  net.eval();
  CHECK(count() == 0);
  net.train();
  CHECK(count() == 6);
}

TEST_CASE("module: to converts in place of every handle, and moves to any device there is") {
  nn::Sequential net = small_network();
  net.to(Context::current().device);
  const Tensor before = net.parameters()[0].tensor();
  net.to(DType::f32);
  CHECK(net.parameters()[0].tensor().shares_storage(before));
  const Var p = net.parameters()[0];
  const double value = test::to_f64(p.tensor()).data<double>()[0];
  net.to(DType::f64);
  CHECK(p.dtype() == DType::f64);
  CHECK(test::to_f64(p.tensor()).data<double>()[0] == value);
  CHECK(net(Var(normals({2, 4, 4, 2}, DType::f64, 1))).dtype() == DType::f64);
  CHECK_THROWS_AS(net.to(DType::bf16), Error);
#if IMAGO_WITH_DEVICE
  const Var x = Var(normals({2, 4, 4, 2}, DType::f64, 1).to(Device::cpu()));
  net.to(Device::cuda());
  CHECK(p.device() == Device::cuda());
  const Var there = net(Var(x.tensor().to(Device::cuda())));
  CHECK(there.device() == Device::cuda());
  net.to(Device::cpu());
  CHECK(largest_error(net(x).tensor(), there.tensor()) <= 1e-12);
#else
  CHECK(contains(error_of([&] { net.to(Device::cuda()); }), "no CUDA kernel in this build"));
#endif
}

TEST_CASE("module: Frozen computes no weight gradient and restores what was") {
  nn::Sequential net = small_network();
  Vars p = net.parameters();
  p[1].set_requires_grad(false);  // frozen by hand: stays so
  Var x = parameter(normals({2, 4, 4, 2}, DType::f32, 1));
  Tensor free_gradient;
  {
    ops::sum(net(x)).backward();
    free_gradient = x.grad().tensor().clone();
    CHECK(p[0].grad().defined());
    CHECK(!p[1].grad().defined());
    net.zero_grad();
    CHECK(!p[0].grad().defined());
    x.zero_grad();
  }
  {
    const nn::Frozen freeze(net);
    for (const Var& q : p) CHECK(!q.requires_grad());
    ops::sum(net(x)).backward();
  }
  CHECK(same_bits(x.grad().tensor(), free_gradient));
  for (const Var& q : p) CHECK(!q.grad().defined());
  CHECK(p[0].requires_grad());
  CHECK(!p[1].requires_grad());
  CHECK(p[2].requires_grad());
}

TEST_CASE("layers: errors name the layer, what it expects and what came") {
  nn::Linear linear({.in = 3, .out = 2});
  CHECK(contains(error_of([&] { linear(Var(Tensor::zeros({2, 4}))); }), "expects (N, 3)"));
  CHECK(contains(error_of([&] { linear(Var(Tensor::zeros({2, 1, 3}))); }), "Flatten"));
  nn::Conv2d conv({.in = 3, .out = 2, .kernel = 3});
  CHECK(contains(error_of([&] { conv(Var(Tensor::zeros({2, 3, 8, 8}))); }), "channels last"));
  nn::ConvTranspose2d up({.in = 3, .out = 2, .kernel = 3});
  CHECK(contains(error_of([&] { up(Var(Tensor::zeros({2, 3, 8, 8}))); }), "channels last"));
  CHECK_THROWS_AS(nn::Linear({.in = 0, .out = 2}), Error);
  CHECK_THROWS_AS(nn::Conv2d({.in = 3, .out = 2, .kernel = 0}), Error);
  CHECK_THROWS_AS(nn::Conv2d({.in = 3, .out = 2, .kernel = 1, .groups = 2}), Error);
  CHECK_THROWS_AS(nn::ConvTranspose2d({.in = 3, .out = 2, .kernel = 1, .output_padding = 1}),
                  Error);
  nn::Reshape reshape({.h = 2, .w = 2, .c = 3});
  CHECK(reshape(Var(Tensor::zeros({5, 12}))).shape() == Shape{5, 2, 2, 3});
  CHECK_THROWS_AS(reshape(Var(Tensor::zeros({5, 13}))), Error);
  CHECK(nn::Flatten()(Var(Tensor::zeros({5, 2, 2, 3}))).shape() == Shape{5, 12});
}

TEST_CASE("layers: flattening follows height, width, channel") {
  const Tensor x = normals({2, 2, 3, 4}, DType::f32, 3);
  nn::Flatten flatten;
  const Tensor y = flatten(Var(x)).tensor();
  const Tensor before = to_f64(x), after = to_f64(y);
  CHECK(after.data<double>()[24 + 12 * 1 + 4 * 2 + 3] ==
        before.data<double>()[24 + (1 * 3 + 2) * 4 + 3]);
}
