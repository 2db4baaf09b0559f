// The same bits for any number of threads, for every layer and for a network that trains.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/random.h"
#include "kernels/parallel.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/kernels/random.h"

using namespace imago;

namespace {

// Weights, statistics and optimiser state after three steps of a small discriminator.
NamedTensors trained(int threads) {
  const ContextScope scope;
  set_num_threads(threads);
  manual_seed(4);
  nn::Sequential net;
  net.add(nn::Conv2d({.in = 3, .out = 20, .kernel = 4, .stride = 2, .padding = Padding::same(1)}))
      .add(nn::LeakyReLU({.slope = 0.2}))
      .add(nn::Dropout({.p = 0.3}))
      .add(nn::ConvBlock({.in = 20,
                          .out = 36,
                          .kernel = 4,
                          .stride = 2,
                          .padding = Padding::same(1),
                          .activation = nn::Activation::leaky_relu}))
      .add(nn::ConvBlock({.in = 36,
                          .out = 20,
                          .kernel = 4,
                          .stride = 2,
                          .padding = Padding::same(1),
                          .transposed = true,
                          .activation = nn::Activation::relu}))
      .add(nn::Flatten())
      .add(nn::Linear({.in = 16 * 16 * 20, .out = 1}));
  nn::init_dcgan(net);
  nn::set_stat_groups(net, 2);
  optim::Adam adam(net.parameters(), {.lr = 1e-3});
  for (std::uint32_t step = 1; step <= 3; ++step) {
    Context::current().generator.begin_step(step);
    adam.zero_grad();
    loss::gan_g(net(randn({6, 32, 32, 3}))).backward();
    adam.step();
  }
  NamedTensors state = net.state_dict();
  insert_under(state, "adam", adam.state_dict());
  return state;
}

struct LayerCase {
  std::string name;
  std::function<std::shared_ptr<nn::Module>()> make;
  Shape x;
  bool training = true;
};

template <class Layer, class... Options>
LayerCase layer(const std::string& name, const Shape& x, const Options&... options) {
  return {name, [=] { return std::make_shared<Layer>(options...); }, x};
}

// Sizes at which three threads find work, forward and backward.
std::vector<LayerCase> layer_cases() {
  const Shape images{6, 16, 16, 48};
  const nn::Conv2dOptions conv{
      .in = 48, .out = 80, .kernel = 4, .stride = 2, .padding = Padding::same(1)};
  const nn::ConvBlockOptions block{
      .in = 48, .out = 80, .kernel = 4, .stride = 2, .padding = Padding::same(1)};
  std::vector<LayerCase> cases{
      layer<nn::Linear>("Linear", {90, 200}, nn::LinearOptions{.in = 200, .out = 300}),
      layer<nn::Conv2d>("Conv2d", images, conv),
      layer<nn::Conv2d>(
          "Conv2d of images", {6, 32, 32, 3},
          nn::Conv2dOptions{.in = 3, .out = 48, .kernel = 5, .padding = Padding::same(2)}),
      layer<nn::ConvTranspose2d>(
          "ConvTranspose2d", images,
          nn::ConvTranspose2dOptions{
              .in = 48, .out = 80, .kernel = 4, .stride = 2, .padding = Padding::same(1)}),
      layer<nn::ConvTranspose2d>(
          "ConvTranspose2d to images", images,
          nn::ConvTranspose2dOptions{
              .in = 48, .out = 3, .kernel = 4, .stride = 2, .padding = Padding::same(1)}),
      layer<nn::BatchNorm2d>("BatchNorm2d", images, nn::BatchNorm2dOptions{.channels = 48}),
      layer<nn::ReLU>("ReLU", images),
      layer<nn::LeakyReLU>("LeakyReLU", images, nn::LeakyReLUOptions{.slope = 0.2}),
      layer<nn::Tanh>("Tanh", images),
      layer<nn::Sigmoid>("Sigmoid", images),
      layer<nn::Dropout>("Dropout", images, nn::DropoutOptions{.p = 0.3}),
  };
  cases.push_back(cases[5]);
  cases.back().name = "BatchNorm2d, evaluation";
  cases.back().training = false;
  for (const bool transposed : {false, true}) {
    for (const auto activation :
         {nn::Activation::none, nn::Activation::relu, nn::Activation::leaky_relu,
          nn::Activation::tanh, nn::Activation::sigmoid}) {
      nn::ConvBlockOptions options = block;
      options.transposed = transposed;
      options.activation = activation;
      cases.push_back(layer<nn::ConvBlock>("ConvBlock, transposed " + std::to_string(transposed) +
                                               ", activation " +
                                               std::to_string(static_cast<int>(activation)),
                                           images, options));
    }
  }
  return cases;
}

// Output, gradients and state of a layer, and how many parallel regions more than one thread ran.
struct LayerResults {
  std::vector<Tensor> tensors;
  std::int64_t shared_forward = 0, shared_backward = 0;
};

LayerResults run(const LayerCase& c, int threads) {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  set_num_threads(threads);
  manual_seed(8);
  const std::shared_ptr<nn::Module> layer = c.make();
  layer->train(c.training);
  const Var x = parameter(test::normals(c.x, DType::f32, 21));
  const std::int64_t& shared = Context::current().shared_regions;
  LayerResults results;
  std::int64_t before = shared;
  const Var y = (*layer)(x);
  results.shared_forward = shared - before;
  const Var seed(test::normals(y.shape(), DType::f32, 22));
  Vars inputs = layer->parameters();
  inputs.push_back(x);
  before = shared;
  const Vars grads = grad({y}, inputs, {seed});
  results.shared_backward = shared - before;
  results.tensors.push_back(y.tensor());
  for (const Var& g : grads) results.tensors.push_back(g.tensor());
  for (const auto& [name, tensor] : layer->state_dict()) results.tensors.push_back(tensor);
  return results;
}

}  // namespace

TEST_CASE("every layer gives the same bits with 1, 2 and 3 threads") {
  if (!has_threads) MESSAGE("built without OpenMP: no work is shared, so little is compared");
  for (const LayerCase& c : layer_cases()) {
    CAPTURE(c.name);
    const LayerResults expected = run(c, 1);
    CHECK(expected.shared_forward + expected.shared_backward == 0);
    for (const int threads : {2, 3}) {
      CAPTURE(threads);
      const LayerResults got = run(c, threads);
      REQUIRE(got.tensors.size() == expected.tensors.size());
      for (std::size_t i = 0; i < got.tensors.size(); ++i) {
        CAPTURE(i);
        CHECK(same_bits(got.tensors[i], expected.tensors[i]));
      }
      CHECK((got.shared_forward > 0) == has_threads);
      CHECK((got.shared_backward > 0) == has_threads);
    }
  }
}

TEST_CASE("training gives the same bits with 1, 2 and 3 threads") {
  const NamedTensors one = trained(1);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    const NamedTensors other = trained(threads);
    REQUIRE(other.size() == one.size());
    for (const auto& [name, tensor] : one) {
      CAPTURE(name);
      CHECK(same_bits(tensor, other.at(name)));
    }
  }
  CHECK(test::largest(one.at("adam.v.0")) > 0);
}
