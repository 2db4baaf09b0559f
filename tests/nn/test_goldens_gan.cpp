// GAN losses and gradient penalties against PyTorch: tests/goldens/gan.safetensors.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/engine.h"
#include "golden_checks.h"
#include "nn/gan_loss.h"
#include "nn/gradient_penalty.h"
#include "nn/layers.h"

using namespace imago;
using namespace imago::test;

namespace {

const SafetensorsFile& goldens() {
  static const SafetensorsFile file = load_goldens("gan.safetensors");
  return file;
}

Tensor golden(const std::string& name, DType dtype = DType::f64) {
  return kernels::cast(goldens().tensor(name), dtype);
}

}  // namespace

TEST_CASE("goldens: every GAN loss") {
  using Loss = std::function<Var(const Var& real, const Var& fake)>;
  const auto of_fake = [](Var (*f)(const Var&)) {
    return Loss([f](const Var&, const Var& fake) { return f(fake); });
  };
  const std::vector<std::pair<std::string, Loss>> losses{
      {"gan_d", [](const Var& r, const Var& f) { return loss::gan_d(r, f); }},
      {"gan_d_smooth", [](const Var& r, const Var& f) { return loss::gan_d(r, f, 0.9); }},
      {"gan_g", of_fake(loss::gan_g)},
      {"gan_g_minimax", of_fake(loss::gan_g_minimax)},
      {"hinge_d", loss::hinge_d},
      {"hinge_g", of_fake(loss::hinge_g)},
      {"lsgan_d", [](const Var& r, const Var& f) { return loss::lsgan_d(r, f); }},
      {"lsgan_d_smooth", [](const Var& r, const Var& f) { return loss::lsgan_d(r, f, 0.9); }},
      {"lsgan_g", of_fake(loss::lsgan_g)},
      {"wasserstein_d", loss::wasserstein_d},
      {"wasserstein_g", of_fake(loss::wasserstein_g)},
  };
  std::size_t stored = 0;  // every loss in the file is compared
  for (const auto& entry : goldens().tensors) stored += entry.first.ends_with(".loss") ? 1 : 0;
  CHECK(stored == losses.size());
  for (const auto& [name, f] : losses) {
    for (const DType dtype : golden_dtypes) {
      CAPTURE(name);
      CAPTURE(dtype);
      const Var real = parameter(golden("scores.real", dtype));
      const Var fake = parameter(golden("scores.fake", dtype));
      const Var loss = f(real, fake);
      check_close(name, loss.tensor(), golden(name + ".loss"), golden_bound(dtype));
      const Vars grads = grad({loss}, {real, fake}, {}, {.allow_unused = true});
      check_close("dfake", grads[1].tensor(), golden(name + ".dfake"), golden_bound(dtype));
      const bool of_real = goldens().tensors.contains(name + ".dreal");
      REQUIRE(grads[0].defined() == of_real);
      if (of_real) {
        check_close("dreal", grads[0].tensor(), golden(name + ".dreal"), golden_bound(dtype));
      }
    }
  }
}

TEST_CASE("goldens: gradient_penalty and r1_penalty, by the weights of D") {
  const std::vector<std::pair<std::string, std::string>> names{
      {"layers.0.weight", "w1"}, {"layers.0.bias", "b1"},   {"layers.2.weight", "w2"},
      {"layers.2.bias", "b2"},   {"layers.5.weight", "w3"}, {"layers.5.bias", "b3"}};
  for (const DType dtype : golden_dtypes) {
    CAPTURE(dtype);
    nn::Sequential d;
    d.add(nn::Conv2d({.in = 3, .out = 4, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
    d.add(nn::Tanh());
    d.add(nn::Conv2d({.in = 4, .out = 5, .kernel = 3, .stride = 2, .padding = Padding::same(1)}));
    d.add(nn::LeakyReLU({.slope = 0.2})).add(nn::Flatten());
    d.add(nn::Linear({.in = 20, .out = 1}));
    d.to(dtype);
    NamedTensors state;
    for (const auto& [ours, key] : names) state[ours] = golden("penalty." + key, dtype);
    d.load_state_dict(state);

    const Tensor real = golden("penalty.real", dtype), fake = golden("penalty.fake", dtype);
    const Tensor mix = golden("penalty.mix", dtype);
    const loss::Critic critic = [&](const Var& x) { return d(x); };
    const auto check_penalty = [&](const std::string& name, const Var& penalty) {
      check_close(name, penalty.tensor(), golden("penalty." + name), golden_bound(dtype));
      const Vars grads = grad({penalty}, d.parameters(), {}, {.allow_unused = true});
      REQUIRE(grads.size() == names.size());
      for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string key = "penalty." + name + "_d" + names[i].second;
        CAPTURE(key);
        // These move scores, not their slopes.
        if (names[i].second == "b2" || names[i].second == "b3") {
          CHECK_FALSE(goldens().tensors.contains(key));
          CHECK((!grads[i] || largest(grads[i].tensor()) == 0));
          continue;
        }
        REQUIRE(grads[i].defined());
        check_close(key, grads[i].tensor(), golden(key), golden_bound(dtype));
      }
    };
    check_penalty("gp", loss::gradient_penalty(critic, real, fake, mix));
    check_penalty("gp_target", loss::gradient_penalty(critic, real, fake, mix, 0.25));
    check_penalty("r1", loss::r1_penalty(critic, real));
    for (const auto& [name, parameter] : d.named_parameters()) {
      CAPTURE(name);
      CHECK_FALSE(parameter.grad().defined());
    }
  }
}
