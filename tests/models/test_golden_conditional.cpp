// Three training steps of small conditional GANs against PyTorch in f64: losses, logits, every
// parameter, and what is drawn afterwards. See scripts/make_goldens.py for what the file holds.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/elementwise/elementwise.h"
#include "models/conditional_gan_trainer.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr double tolerance = 1e-9;  // both sides differ by the order of their sums alone

SafetensorsFile goldens() {
  return load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/conditional.safetensors");
}

// In f64 on the device of the Context.
Tensor golden(const SafetensorsFile& file, const std::string& name) {
  return kernels::cast(file.tensor(name), DType::f64).to(Context::current().device);
}

void check_golden(const SafetensorsFile& file, const std::string& name, const Var& got) {
  CAPTURE(name);
  REQUIRE(got.defined());
  const Tensor want = golden(file, name);
  CHECK(largest_error(got.tensor(), want) <= tolerance * std::fmax(1, largest(want)));
}

// PyTorch's values in all tensors but the v of spectral norm, which the next step makes from u.
void load(nn::Module& network, const SafetensorsFile& file, const std::string& group) {
  network.to(DType::f64);
  NamedTensors state;
  for (const auto& [name, tensor] : network.state_dict()) {
    const bool made = name.ends_with("weight_v");
    state[name] = made ? tensor.clone() : golden(file, group + "." + name);
  }
  network.load_state_dict(state);
}

void check_network(const nn::Module& network, const SafetensorsFile& file,
                   const std::string& group) {
  const NamedTensors want = file.group(group);
  std::size_t compared = 0;
  for (const auto& [name, tensor] : network.state_dict()) {
    if (name.ends_with("weight_v")) continue;
    check_golden(file, group + "." + name, Var(tensor));
    compared += 1;
  }
  CHECK(compared == want.size());
}

void follow(Conditioning conditioning, ConditionalLoss loss) {
  const SafetensorsFile file = goldens();
  const std::string mode = name_of(conditioning);
  ConditionalGan gan = make_conditional_gan(
      {.classes = 3, .conditioning = conditioning, .image = 16, .base = 2, .z = 5});
  load(gan.generator, file, mode + ".init.g");
  load(gan.discriminator, file, mode + ".init.d");
  ConditionalGanTrainer trainer(std::move(gan), {.loss = loss,
                                                 .lr_g = 0.001,
                                                 .lr_d = 0.002,
                                                 .beta1 = 0.5,
                                                 .beta2 = 0.9,
                                                 .class_weight = 0.7,
                                                 .classify_fakes = true});
  const Tensor real = golden(file, "real"), z = golden(file, "z");
  const Tensor labels = kernels::cast(golden(file, "labels"), DType::i64);
  for (int i = 0; i < 3; ++i) {
    const ConditionalGanStep got = trainer.step(real, labels, z.slice(i, i + 1).reshape({4, 5}));
    const std::string step = mode + ".step" + std::to_string(i + 1);
    check_golden(file, step + ".loss_d", got.loss_d);
    check_golden(file, step + ".loss_g", got.loss_g);
    check_golden(file, step + ".logits_real", got.logits_real);
    check_golden(file, step + ".logits_fake", got.logits_fake);
    CHECK(got.class_real.defined() == (conditioning == Conditioning::acgan));
    if (!got.class_real) continue;
    check_golden(file, step + ".class_real", got.class_real);
    check_golden(file, step + ".class_fake", got.class_fake);
  }
  check_network(trainer.gan().generator, file, mode + ".last.g");
  check_network(trainer.gan().discriminator, file, mode + ".last.d");
  const Tensor first = z.reshape({12, 5}).slice(0, 1);
  check_golden(file, mode + ".drawn", trainer.generate(first, labels.slice(1, 2)));
}

}  // namespace

TEST_CASE("three steps with a projection discriminator and hinge loss equal PyTorch's") {
  follow(Conditioning::projection, ConditionalLoss::hinge);
}

TEST_CASE("three steps of an AC-GAN equal PyTorch's") {
  follow(Conditioning::acgan, ConditionalLoss::nonsaturating);
}
