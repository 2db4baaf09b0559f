// Three training steps of small image-to-image networks against PyTorch in f64: losses, logits,
// every parameter, and the results afterwards. See scripts/make_goldens.py for what the file holds.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/elementwise/elementwise.h"
#include "models/translation_trainer.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr double tolerance = 1e-9;  // both sides differ by the order of their sums alone

SafetensorsFile goldens() {
  return load_safetensors(IMAGO_SOURCE_DIR "/tests/goldens/translation_steps.safetensors");
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

void follow(TranslationTask task, TranslationTrainerOptions options) {
  const SafetensorsFile file = goldens();
  const std::string run = name_of(task);
  TranslationGan gan = make_translation_gan({.task = task, .image = 16, .base = 2});
  load(gan.translator, file, run + ".init.g");
  load(gan.global, file, run + ".init.d");
  load(gan.local, file, run + ".init.d_local");
  options.lr = 0.001;
  options.lr_d = 0.002;
  options.beta1 = 0.5;
  options.beta2 = 0.9;
  TranslationTrainer trainer(std::move(gan), options);
  const auto whole = [&](const char* name) {
    return kernels::cast(golden(file, run + "." + name), DType::i64);
  };
  const TranslationBatch batch{.input = golden(file, run + ".input"),
                               .target = golden(file, run + ".target"),
                               .shift_down = whole("shift_down"),
                               .shift_right = whole("shift_right")};
  for (int i = 0; i < 3; ++i) {
    const TranslationStep got = trainer.step(batch);
    const std::string step = run + ".step" + std::to_string(i + 1);
    check_golden(file, step + ".loss", got.loss);
    check_golden(file, step + ".l1", got.l1);
    check_golden(file, step + ".l2", got.l2);
    CHECK(got.loss_g.defined() == trainer.adversarial());
    if (!trainer.adversarial()) continue;
    check_golden(file, step + ".loss_d_global", got.loss_d_global);
    check_golden(file, step + ".loss_d_local", got.loss_d_local);
    check_golden(file, step + ".loss_g", got.loss_g);
    check_golden(file, step + ".logits_real", got.logits_real);
    check_golden(file, step + ".logits_fake", got.logits_fake);
  }
  check_network(trainer.gan().translator, file, run + ".last.g");
  if (trainer.adversarial()) {
    check_network(trainer.gan().global, file, run + ".last.d");
    check_network(trainer.gan().local, file, run + ".last.d_local");
  }
  check_golden(file, run + ".drawn", Var(trainer.translate(batch.input)));
}

}  // namespace

TEST_CASE("three steps of inpainting with critics and hinge loss equal PyTorch's") {
  follow(TranslationTask::inpaint,
         {.l1 = 3, .l2 = 0.5, .adversarial = 0.7, .loss = GanLoss::hinge});
}

TEST_CASE("three steps of matting with critics of pairs equal PyTorch's") {
  follow(TranslationTask::matte,
         {.l1 = 2, .l2 = 0, .adversarial = 0.3, .loss = GanLoss::nonsaturating});
}

TEST_CASE("three steps of least squares equal PyTorch's") {
  follow(TranslationTask::low_light, {.l1 = 0, .l2 = 1, .adversarial = 0});
}
