// Four training steps of two small VAE-GANs against PyTorch in f64: every term, every score, how
// hard both parts of the decoder's loss pull, and every parameter of the three networks. See
// scripts/make_goldens.py for what the file holds.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/elementwise/elementwise.h"
#include "models/vae_gan_trainer.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr double tolerance = 1e-9;  // both sides differ by the order of their sums alone

SafetensorsFile goldens() {
  return load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/vae_gan_steps.safetensors");
}

// In f64 on the device of the Context.
Tensor golden(const SafetensorsFile& file, const std::string& name) {
  return kernels::cast(file.tensor(name), DType::f64).to(Context::current().device);
}

void check_golden(const SafetensorsFile& file, const std::string& name, const Var& got) {
  CAPTURE(name);
  REQUIRE(got.defined());
  const Tensor want = golden(file, name);
  REQUIRE(got.shape() == want.shape());
  CHECK(largest_error(got.tensor(), want) <= tolerance * std::fmax(1, largest(want)));
}

// In f64, for a network that has been converted to it.
NamedTensors state_in(const SafetensorsFile& file, const std::string& group) {
  NamedTensors state;
  for (const auto& [name, tensor] : file.group(group)) {
    state[name] = kernels::cast(tensor, DType::f64);
  }
  return state;
}

void check_network(const nn::Module& network, const SafetensorsFile& file,
                   const std::string& group) {
  const NamedTensors ours = network.state_dict();
  CHECK(ours.size() == file.group(group).size());
  for (const auto& [name, tensor] : ours) check_golden(file, group + "." + name, Var(tensor));
}

void follow(const std::string& run, const VaeOptions& model, const VaeGanOptions& gan,
            const VaeTrainerOptions& training) {
  INFO(run);
  const SafetensorsFile file = goldens();
  Vae vae(model);
  vae.to(DType::f64);
  vae.load_state_dict(state_in(file, run + ".init.vae"));
  VaeGanTrainer trainer(std::move(vae), gan, training);
  trainer.discriminator().load_state_dict(state_in(file, run + ".init.d"));
  const Tensor images = golden(file, "images"), noise = golden(file, "noise");
  for (int i = 0; i < 4; ++i) {
    const VaeStep got = trainer.step(images.slice(i, i + 1).reshape({3, 16, 16, 3}),
                                     noise.slice(i, i + 1).reshape({6, 3}));
    const std::string step = run + ".step" + std::to_string(i + 1) + ".";
    const VaeAdversary& a = got.adversary;
    check_golden(file, step + "loss", got.loss);
    check_golden(file, step + "reconstruction", got.reconstruction);
    check_golden(file, step + "kl", got.kl);
    check_golden(file, step + "loss_d", a.loss_d);
    check_golden(file, step + "loss_gan", a.loss_gan);
    check_golden(file, step + "logits_real", a.logits_real);
    check_golden(file, step + "logits_reconstructed", a.logits_reconstructed);
    check_golden(file, step + "logits_drawn", a.logits_drawn);
    check_golden(file, step + "pull_features", a.pull_features);
    check_golden(file, step + "pull_gan", a.pull_gan);
  }
  check_network(trainer.vae(), file, run + ".last.vae");
  check_network(trainer.discriminator(), file, run + ".last.d");
}

VaeOptions model(Likelihood likelihood, double sigma) {
  return {.image = 16, .base = 2, .latent = 3, .likelihood = likelihood, .sigma = sigma};
}

}  // namespace

TEST_CASE("four steps of a VAE-GAN with features of the last layer and a given sigma") {
  follow("given", model(Likelihood::gaussian, 0.9), {.weight = 12, .feature_layer = 2},
         {.lr = 0.002, .beta1 = 0.5, .kl_weight = 1, .kl_warmup = 2});
}

TEST_CASE("four steps of a VAE-GAN with features of the first layer and a learned sigma") {
  follow("learned", model(Likelihood::gaussian_learned, 0.7), {.weight = 30, .feature_layer = 1},
         {.lr = 0.002, .beta1 = 0.5, .kl_weight = 2, .kl_warmup = 3});
}
