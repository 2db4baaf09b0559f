#include "nn/summary.h"

#include <doctest/doctest.h>

#include "autograd/ops/add.h"
#include "autograd/ops/scale.h"
#include "nn/layers.h"
#include "tensor/observer.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;

namespace {

// body(x) + x, and a layer that nobody calls.
class Residual final : public nn::Module {
 public:
  explicit Residual(int channels)
      : body_(add_child(
            "body",
            nn::Conv2d(
                {.in = channels, .out = channels, .kernel = 3, .padding = Padding::same(1)}))) {
    add_child("spare", nn::Linear({.in = 2, .out = 3}));
  }
  Var forward(const Var& x) override { return ops::add((*body_)(x), x); }

 private:
  std::shared_ptr<nn::Conv2d> body_;
};

nn::Sequential network() {
  nn::Sequential net;
  net.add(nn::ConvBlock({.in = 3,
                         .out = 8,
                         .kernel = 4,
                         .stride = 2,
                         .padding = Padding::same(1),
                         .activation = nn::Activation::leaky_relu}))
      .add(Residual(8))
      .add(nn::Dropout({.p = 0.5}))
      .add(nn::Flatten())
      .add(nn::Linear({.in = 8 * 8 * 8, .out = 5}));
  return net;
}

const nn::SummaryRow& row_of(const nn::Summary& s, const std::string& name) {
  for (const nn::SummaryRow& row : s.rows) {
    if (row.name == name) return row;
  }
  FAIL("there is no row " << name);
  throw Error("unreachable");
}

}  // namespace

TEST_CASE("summary: shapes, parameters and arithmetic of every layer, totals that add up") {
  nn::Sequential net = network();
  const nn::Summary s = nn::summary(net, Shape{2, 16, 16, 3});
  INFO(s.to_string());
  REQUIRE(s.rows.size() == 10);
  CHECK(s.rows[0].type == "Sequential");
  CHECK(s.rows[0].output == Shape{2, 5});
  const auto& block = row_of(s, "layers.0");
  CHECK(block.type == "ConvBlock");
  CHECK(block.depth == 1);
  CHECK(block.output == Shape{2, 8, 8, 8});
  CHECK(block.parameters == 0);
  const auto& conv = row_of(s, "layers.0.conv");
  CHECK(conv.type == "Conv2d");
  CHECK(conv.depth == 2);
  CHECK(conv.parameters == 4 * 4 * 3 * 8);
  CHECK(conv.flops == 2.0 * 2 * 8 * 8 * 8 * 4 * 4 * 3);
  CHECK(conv.activations == 2 * 8 * 8 * 8 * 4);
  CHECK(row_of(s, "layers.0.norm").output == Shape{2, 8, 8, 8});
  CHECK(row_of(s, "layers.1.body").flops == 2.0 * 2 * 8 * 8 * 8 * 3 * 3 * 8);
  CHECK(row_of(s, "layers.1.spare").calls == 0);
  CHECK(row_of(s, "layers.1.spare").parameters == 9);
  CHECK(row_of(s, "layers.3").output == Shape{2, 512});
  CHECK(row_of(s, "layers.3").activations == 0);  // the same memory under another shape
  CHECK(row_of(s, "layers.4").flops == 2.0 * 2 * 512 * 5);
  CHECK(s.parameters == net.num_parameters());
  CHECK(s.trainable == s.parameters);
  CHECK(s.parameter_bytes == 4 * s.parameters);
  CHECK(s.buffer_bytes == 2 * 8 * 4);
  double flops = 0;
  std::int64_t parameters = 0, activations = 0;
  for (const auto& row : s.rows) {
    flops += row.flops;
    parameters += row.parameters;
    activations += row.activations;
  }
  CHECK(s.flops == flops);
  CHECK(s.parameters == parameters);
  CHECK(s.activations == activations);
}

TEST_CASE("summary: the table has one line a layer, lined up") {
  nn::Sequential net = network();
  const std::string text = nn::summary(net, Shape{1, 16, 16, 3}).to_string();
  INFO(text);
  CHECK(contains(text, "(all)"));
  CHECK(contains(text, "    layers.1.body"));
  CHECK(contains(text, "not called"));
  CHECK(contains(text, "(1, 8, 8, 8)"));
  CHECK(contains(text, "2,565"));  // Linear: 512 x 5 + 5
  CHECK(contains(text, "input (1, 16, 16, 3); 3,558 of 3,558 parameters are trained"));
  const auto width = text.find('\n', text.find("---")) - text.find("---");
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i < 13 && std::getline(lines, line); ++i) CHECK(line.size() <= width);
}

TEST_CASE("summary: leaves modes, gradients, random numbers and statistics as they were") {
  nn::Sequential net = network();
  net[2].eval();
  manual_seed(7);
  const NamedTensors state = net.state_dict();
  NamedTensors before;
  for (const auto& [name, tensor] : state) before.emplace(name, tensor.clone());
  nn::summary(net, Shape{2, 16, 16, 3});
  CHECK(net.training());
  CHECK(net[0].training());
  CHECK(!net[2].training());
  CHECK(Context::current().generator.next_draw == 0);
  CHECK(Observer::current() == nullptr);
  for (const auto& [name, tensor] : net.state_dict()) CHECK(same_bits(tensor, before.at(name)));
  for (const Var& p : net.parameters()) CHECK(!p.grad().defined());
}

TEST_CASE("summary: a frozen network keeps nothing; a layer called twice says so; f64") {
  nn::Sequential net = network();
  {
    const nn::Frozen freeze(net);
    const nn::Summary s = nn::summary(net, Shape{2, 16, 16, 3});
    CHECK(s.activations == 0);
    CHECK(s.trainable == 0);
    CHECK(s.flops > 0);
  }
  class Twice final : public nn::Module {
   public:
    Twice() : layer_(add_child("layer", nn::Linear({.in = 3, .out = 3, .bias = false}))) {}
    Var forward(const Var& x) override { return (*layer_)((*layer_)(x)); }

   private:
    std::shared_ptr<nn::Linear> layer_;
  };
  Twice twice;
  twice.to(DType::f64);
  const nn::Summary s = nn::summary(twice, Shape{4, 3});
  CHECK(row_of(s, "layer").calls == 2);
  CHECK(row_of(s, "layer").flops == 2 * 2.0 * 4 * 3 * 3);
  CHECK(contains(s.to_string(), "(4, 3) x2"));
  CHECK(s.rows[0].type == "Twice");
  CHECK(contains(error_of([&] { nn::summary(twice, Var()); }), "the example is undefined"));
  CHECK(contains(error_of([&] { nn::summary(twice, Shape{4, 2}); }), "(in layer layer)"));
  CHECK(Observer::current() == nullptr);
}

TEST_CASE("summary: a convolution on an example in bf16 or on a device works as the layer does") {
  nn::Sequential net;
  net.add(nn::Conv2d({.in = 2, .out = 4, .kernel = 1, .bias = false}));
  net.to(Context::current().device);
  const nn::Summary s = nn::summary(net, Var(normals({3, 5, 5, 2}, DType::f32, 1)));
  CHECK(s.rows[1].output == Shape{3, 5, 5, 4});
  CHECK(s.flops == 2.0 * 3 * 5 * 5 * 2 * 4);
}

TEST_CASE("summary: a module of several arguments is run as it is called") {
  class Scaled final : public nn::Module {
   public:
    Scaled() : layer_(add_child("layer", nn::Linear({.in = 3, .out = 2}))) {}
    Var forward(const Var&) override { fail("Scaled", "needs a scale"); }
    Var scaled(const Var& x, double by) { return ops::scale((*layer_)(x), by); }

   private:
    std::shared_ptr<nn::Linear> layer_;
  };
  Scaled scaled;
  const nn::Summary s = nn::summary(scaled, {4, 3}, [&] {
    scaled.scaled(Tensor::zeros({4, 3}), 2);
  });
  CHECK(s.input == Shape{4, 3});
  CHECK(row_of(s, "layer").output == Shape{4, 2});
  CHECK(s.flops == 2.0 * 4 * 3 * 2);
  CHECK(s.parameters == 8);
}
