// The same bits for any number of threads, for a network that trains. test_layer_cases.cpp compares
// single layers.
#include <doctest/doctest.h>

#include "autograd/engine.h"
#include "autograd/random.h"
#include "kernels/parallel.h"
#include "nn/gan_loss.h"
#include "nn/init.h"
#include "nn/layers.h"
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

}  // namespace

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
