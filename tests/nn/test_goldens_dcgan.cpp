// Ten training steps of a small DCGAN against PyTorch: tests/goldens/dcgan_steps.safetensors.
#include <doctest/doctest.h>

#include "autograd/ops/add.h"
#include "autograd/ops/concat.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/slice.h"
#include "goldens.h"
#include "nn/gan_loss.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/optim.h"

using namespace imago;
using namespace imago::test;

namespace {

constexpr int steps = 10, batch = 4;

nn::Sequential generator() {
  using nn::Activation;
  nn::Sequential g;
  g.add(nn::Reshape({.h = 1, .w = 1, .c = 16}))
      .add(nn::ConvBlock(
          {.in = 16, .out = 16, .kernel = 4, .transposed = true, .activation = Activation::relu}))
      .add(nn::ConvBlock({.in = 16,
                          .out = 8,
                          .kernel = 4,
                          .stride = 2,
                          .padding = Padding::same(1),
                          .transposed = true,
                          .activation = Activation::relu}))
      .add(nn::ConvTranspose2d({.in = 8,
                                .out = 3,
                                .kernel = 4,
                                .stride = 2,
                                .padding = Padding::same(1),
                                .bias = false}))
      .add(nn::Tanh());
  return g;
}

nn::Sequential discriminator() {
  nn::Sequential d;
  d.add(nn::Conv2d({.in = 3,
                    .out = 8,
                    .kernel = 4,
                    .stride = 2,
                    .padding = Padding::same(1),
                    .bias = false}))
      .add(nn::LeakyReLU({.slope = 0.2}))
      .add(nn::ConvBlock({.in = 8,
                          .out = 16,
                          .kernel = 4,
                          .stride = 2,
                          .padding = Padding::same(1),
                          .activation = nn::Activation::leaky_relu,
                          .slope = 0.2}))
      .add(nn::Conv2d({.in = 16, .out = 1, .kernel = 4, .bias = false}))
      .add(nn::Flatten());
  return d;
}

// Golden names of our names.
using Names = std::map<std::string, std::string>;

Names with_norm(Names names, const std::string& ours, const std::string& theirs) {
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    names[ours + part] = theirs + part;
  }
  return names;
}

Names generator_names() {
  const Names names{{"layers.1.conv.weight", "g.conv1.weight"},
                    {"layers.2.conv.weight", "g.conv2.weight"},
                    {"layers.3.weight", "g.conv3.weight"}};
  return with_norm(with_norm(names, "layers.1.norm", "g.bn1"), "layers.2.norm", "g.bn2");
}

Names discriminator_names() {
  return with_norm({{"layers.0.weight", "d.conv1.weight"},
                    {"layers.2.conv.weight", "d.conv2.weight"},
                    {"layers.3.weight", "d.conv3.weight"}},
                   "layers.2.norm", "d.bn2");
}

void load_initial(nn::Module& module, const Names& names, const SafetensorsFile& file,
                  DType dtype) {
  NamedTensors state;
  for (const auto& [ours, theirs] : names) {
    state[ours] = kernels::cast(file.tensor("init." + theirs), dtype);
  }
  module.to(dtype);
  module.load_state_dict(state);
}

// Trains for ten steps; measured: at most 5e-15 (f64) and 1.2e-6 (f32) of the largest value. With
// `joined` real and fake go through D as one batch of two groups.
void train_and_compare(DType dtype, bool joined, double bound) {
  const SafetensorsFile file = load_goldens("dcgan_steps.safetensors");
  nn::Sequential G = generator(), D = discriminator();
  const Names names_g = generator_names(), names_d = discriminator_names();
  load_initial(G, names_g, file, dtype);
  load_initial(D, names_d, file, dtype);
  optim::Adam opt_g(G.parameters(), {.lr = 0.002, .beta1 = 0.5});
  optim::Adam opt_d(D.parameters(), {.lr = 0.002, .beta1 = 0.5});

  for (int i = 0; i < steps; ++i) {
    const std::string prefix = std::string(i < 9 ? "step0" : "step") + std::to_string(i + 1) + ".";
    CAPTURE(prefix);
    const auto compare = [&](const std::string& name, const Tensor& actual) {
      check_close(name, actual, file.tensor(prefix + name), bound);
    };
    const auto row = [&](const char* name) {
      const Tensor t = file.tensor(name).slice(i, i + 1);
      Shape shape;
      for (int a = 1; a < t.dim(); ++a) shape.append(t.size(a));
      return Var(kernels::cast(t.reshape(shape), dtype));
    };
    const auto compare_gradients = [&](nn::Module& module, const Names& names) {
      if (i > 0) return;
      for (const auto& [ours, var] : module.named_parameters()) {
        compare("grad." + names.at(ours), var.grad().tensor());
      }
    };

    const Var real = row("real"), fake = G(row("z"));
    if (i == 0) compare("fake", fake.tensor());
    opt_d.zero_grad();
    Var logits_real, logits_fake;  // (batch, 1)
    if (joined) {
      nn::set_stat_groups(D, 2);
      const Var logits = D(ops::concat({real, fake.detach()}));
      nn::set_stat_groups(D, 1);
      logits_real = ops::slice(logits, 0, batch);
      logits_fake = ops::slice(logits, batch, 2 * batch);
    } else {
      logits_real = D(real);
      logits_fake = D(fake.detach());
    }
    const Var loss_d = loss::gan_d(logits_real, logits_fake);
    loss_d.backward();
    compare_gradients(D, names_d);
    opt_d.step();

    opt_g.zero_grad();
    opt_d.zero_grad();
    Var logits_g, loss_g;
    {
      const nn::Frozen freeze(D);
      logits_g = D(fake);
      loss_g = loss::gan_g(logits_g);
      loss_g.backward();
    }
    for (const Var& p : D.parameters()) CHECK(!p.grad().defined());
    compare_gradients(G, names_g);
    opt_g.step();

    compare("loss_d", loss_d.tensor());
    compare("loss_d_real", loss::bce_with_logits(logits_real, 1).tensor());
    compare("loss_d_fake", loss::bce_with_logits(logits_fake, 0).tensor());
    compare("loss_g", loss_g.tensor());
    compare("logits_real", logits_real.tensor().reshape({batch}));
    compare("logits_fake", logits_fake.tensor().reshape({batch}));
    compare("logits_g", logits_g.tensor().reshape({batch}));
    if (i == 0) compare("loss_g_minimax", loss::gan_g_minimax(logits_g).tensor());
    const NamedTensors state_g = G.state_dict(), state_d = D.state_dict();
    for (const auto& [ours, theirs] : names_g) compare(theirs, state_g.at(ours));
    for (const auto& [ours, theirs] : names_d) compare(theirs, state_d.at(ours));
  }
}

}  // namespace

TEST_CASE("goldens: ten steps of a DCGAN in f64") {
  train_and_compare(DType::f64, false, 1e-13);
}

TEST_CASE("goldens: ten steps of a DCGAN in f64, real and fake as one batch") {
  train_and_compare(DType::f64, true, 1e-13);
}

TEST_CASE("goldens: ten steps of a DCGAN in f32") {
  train_and_compare(DType::f32, false, 1e-5);
}
