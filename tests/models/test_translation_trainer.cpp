#include "models/translation_trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/ops/add.h"
#include "autograd/random.h"
#include "models/gan_trainer.h"
#include "nn/gan_loss.h"
#include "tests/kernels/random.h"
#include "tests/support/files.h"
#include "translation_checks.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

const TranslationTrainerOptions plain_l2{.l1 = 0, .l2 = 1, .adversarial = 0, .lr = 0.01, .seed = 5};
const TranslationTrainerOptions with_critics{.lr = 0.01, .ema = 0.5, .seed = 5};

TranslationTrainer small(TranslationTask task,
                         const TranslationTrainerOptions& options = with_critics) {
  manual_seed(5);
  return TranslationTrainer(make_translation_gan(tiny_translation(task)), options);
}

fs::path saved(const TranslationTrainer& trainer, const fs::path& path) {
  save_safetensors(path, trainer.state(), trainer.metadata());
  return path;
}

void check_resume(TranslationTask task, const TranslationTrainerOptions& options) {
  INFO(name_of(task) << " with adversarial " << options.adversarial);
  const TemporaryFolder folder;
  const auto train = [&](TranslationTrainer& trainer, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t s = from; s <= to; ++s) trainer.step(translation_images(task, 2, s));
  };
  TranslationTrainer whole = small(task, options);
  train(whole, 1, 4);
  TranslationTrainer first = small(task, options);
  train(first, 1, 2);
  const fs::path half = saved(first, folder / "half.safetensors");
  TranslationTrainer second = small(task, options);
  train(second, 9, 9);  // whatever was there before is replaced
  randn({3});           // somebody else's draw
  second.load(load_safetensors(half));
  CHECK(second.steps_done() == 2);
  second.translate(degraded(task, translation_images(task, 2, 8), 1, 1).input);  // leaves no trace
  train(second, 3, 4);
  const std::string bytes = read_bytes(saved(whole, folder / "a.safetensors"));
  CHECK(bytes == read_bytes(saved(second, folder / "b.safetensors")));
  CHECK(bytes != read_bytes(half));

  Translator loaded = load_translator(load_safetensors(folder / "a.safetensors"));
  CHECK(loaded.spec() == tiny_translation(task));
  const Tensor input = degraded(task, translation_images(task, 2, 7), 1, 1).input;
  const NoGrad no_grad;
  const nn::Evaluating mode(loaded);
  CHECK(same_bits(loaded.translate(Var(input)).tensor(), whole.translate(input)));
}

}  // namespace

TEST_CASE("translation: N steps, save, load and M steps equal N + M steps byte for byte") {
  check_resume(TranslationTask::inpaint, with_critics);
}

#if !IMAGO_EMULATED  // minutes of emulation; the builds for the CPU and for a GPU have it
TEST_CASE("translation: mattes, and light by least squares, resume byte for byte too") {
  check_resume(TranslationTask::matte, with_critics);
  check_resume(TranslationTask::low_light, plain_l2);
}
#endif

TEST_CASE("translation: the number of threads does not change a bit of training") {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  std::vector<NamedTensors> states;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    TranslationTrainer trainer = small(TranslationTask::inpaint);
    for (std::uint32_t s = 1; s <= 2; ++s) {
      trainer.step(translation_images(TranslationTask::inpaint, 3, s));
    }
    states.push_back(trainer.state());
  }
  for (const auto& [name, tensor] : states[0]) {
    INFO(name);
    CHECK(same_bits(tensor, states[1].at(name)));
    CHECK(same_bits(tensor, states[2].at(name)));
  }
}

TEST_CASE("translation: discriminators are moved by their loss only, the network by its own only") {
  // With lr 0 nothing moves, and what a step leaves behind are the gradients it used.
  const TranslationTask task = TranslationTask::matte;
  const TranslationTrainerOptions still{.l1 = 0, .adversarial = 1, .lr = 0, .seed = 5};
  TranslationTrainer trainer = small(task, still), other = small(task, still);
  TranslationGan& twin = other.gan();
  const TranslationBatch batch = degraded(task, translation_images(task, 3, 1), 5, 1);
  const TranslationStep step = trainer.step(batch);

  const Var result = twin.translator.translate(Var(batch.input));
  const Var real = judged(task, batch.input, Var(batch.target));
  const Var fake = judged(task, batch.input, result.detach());
  const Var global_real = twin.global(real), global_fake = twin.global(fake);
  const Var local_real = twin.local(local_windows(real, batch));
  const Var local_fake = twin.local(local_windows(fake, batch));
  const Var d_global = loss::hinge_d(global_real, global_fake);
  const Var d_local = loss::hinge_d(local_real, local_fake);
  CHECK(same_bits(step.loss_d_global.tensor(), d_global.tensor()));
  CHECK(same_bits(step.loss_d_local.tensor(), d_local.tensor()));
  CHECK(same_bits(step.logits_fake.tensor(), global_fake.tensor()));
  ops::add(d_global, d_local).backward();
  const auto same_gradients = [](const nn::Module& a, const nn::Module& b) {
    const Vars x = a.parameters(), y = b.parameters();
    bool same = x.size() == y.size();
    for (std::size_t i = 0; i < x.size() && same; ++i) {
      same = same_bits(x[i].grad().tensor(), y[i].grad().tensor());
    }
    return same;
  };
  CHECK(same_gradients(trainer.gan().global, twin.global));
  CHECK(same_gradients(trainer.gan().local, twin.local));
  for (const Var& p : twin.translator.parameters()) CHECK_FALSE(p.grad().defined());

  const Var seen = judged(task, batch.input, result);
  const Var on_global = twin.global(seen), on_local = twin.local(local_windows(seen, batch));
  const Var g = ops::add(loss::hinge_g(on_global), loss::hinge_g(on_local));
  g.backward();  // not frozen: adds to the discriminators' gradients, which changes them
  CHECK(same_bits(step.loss_g.tensor(), g.tensor()));
  CHECK(same_gradients(trainer.gan().translator, twin.translator));
  CHECK_FALSE(same_gradients(trainer.gan().global, twin.global));
  CHECK_FALSE(same_gradients(trainer.gan().local, twin.local));
  for (const Var& p : trainer.gan().global.parameters()) CHECK(p.requires_grad());
}

TEST_CASE("translation: without a weight for them there are no discriminators") {
  TranslationTrainer trainer = small(TranslationTask::low_light, plain_l2);
  const TranslationStep step = trainer.step(translation_images(TranslationTask::low_light, 2, 1));
  CHECK(same_bits(step.loss.tensor(), step.l2.tensor()));
  CHECK_FALSE(step.loss_g.defined());
  CHECK_FALSE(step.loss_d_global.defined());
  for (const auto& [name, tensor] : trainer.state()) {
    INFO(name);
    CHECK((name.starts_with("g.") || name.starts_with("opt_g.")));
  }
  for (const Var& p : trainer.gan().global.parameters()) CHECK_FALSE(p.grad().defined());
  // Both kinds of run start from the same translator.
  const TranslationTrainer critics = small(TranslationTask::low_light);
  const TranslationTrainer fresh = small(TranslationTask::low_light, plain_l2);
  for (const auto& [name, tensor] : entries_under(fresh.state(), "g")) {
    CHECK(same_bits(tensor, critics.state().at("g." + name)));
  }
}

TEST_CASE("translation: differences are means over what was missing, or over the image") {
  for (const TranslationTask task : translation_tasks) {
    INFO(name_of(task));
    TranslationTrainer trainer =
        small(task, {.l1 = 2, .l2 = 3, .adversarial = 0, .lr = 0, .seed = 5});
    const TranslationBatch batch = degraded(task, translation_images(task, 3, 1), 5, 1);
    TranslationTrainer twin = small(task, plain_l2);
    const Tensor result = to_f64(twin.gan().translator.translate(Var(batch.input)).tensor());
    const Tensor truth = to_f64(batch.target);
    const bool hole = task == TranslationTask::inpaint;
    const Tensor missing = hole ? missing_of(batch.input).to(Device::cpu()) : Tensor();
    double l1 = 0, l2 = 0, count = 0;
    for (std::int64_t i = 0; i < truth.numel(); ++i) {
      const double d = result.data<double>()[i] - truth.data<double>()[i];
      l1 += std::abs(d);
      l2 += d * d;
      count += hole ? missing.data<std::uint8_t>()[i / 3] : 1;
    }
    const TranslationStep step = trainer.step(batch);
    CHECK(std::abs(step.l1.item() - l1 / count) < 1e-5);
    CHECK(std::abs(step.l2.item() - l2 / count) < 1e-5);
    CHECK(std::abs(step.loss.item() - (2 * l1 + 3 * l2) / count) < 1e-4);
  }
}

#if !IMAGO_EMULATED  // the same operations as above, many times
TEST_CASE("translation: least squares learns an image that is always the same") {
  TranslationTrainerOptions options = plain_l2;
  options.lr = 0.02;
  TranslationTrainer trainer = small(TranslationTask::inpaint, options);
  const Tensor always = Tensor::full({2, 16, 16, 3}, 0.5);
  const double before = trainer.step(always).l2.item();
  double after = before;
  for (int i = 0; i < 15; ++i) after = trainer.step(always).l2.item();
  CHECK(after < 0.5 * before);
}
#endif

TEST_CASE("translation: every loss trains with the critics") {
  for (const std::string& name : gan_loss_names()) {
    INFO(name);
    TranslationTrainerOptions options = with_critics;
    options.loss = gan_loss(name);
    TranslationTrainer trainer = small(TranslationTask::inpaint, options);
    const TranslationStep step = trainer.step(translation_images(TranslationTask::inpaint, 2, 1));
    CHECK(std::isfinite(step.loss.item() + step.loss_d_global.item() + step.loss_d_local.item()));
    CHECK(std::abs(step.loss.item() - (10 * step.l1.item() + step.loss_g.item())) < 1e-4);
  }
}

TEST_CASE("a translation checkpoint is refused by name where it does not fit") {
  const TranslationTask task = TranslationTask::inpaint;
  TranslationTrainer trainer = small(task);
  trainer.step(translation_images(task, 2, 1));
  SafetensorsFile file{"x.safetensors", trainer.state(), trainer.metadata()};
  const auto refuses = [&](TranslationTrainer other, const char* part) {
    CHECK_THROWS_WITH_AS(other.load(file), doctest::Contains(part), Error);
  };
  const auto changed = [&](void (*change)(TranslationTrainerOptions&)) {
    TranslationTrainerOptions options = with_critics;
    change(options);
    return small(task, options);
  };
  refuses(small(TranslationTask::low_light), "task inpaint, not lowlight");
  refuses(changed([](auto& o) { o.l1 = 3; }), "l1 10, not 3");
  refuses(changed([](auto& o) { o.adversarial = 0.5; }), "adversarial 1, not 0.5");
  refuses(changed([](auto& o) { o.loss = GanLoss::lsgan; }), "loss hinge, not lsgan");
  refuses(changed([](auto& o) { o.ema = 0; }), "ema 0.5, not 0");
  refuses(changed([](auto& o) { o.seed = 6; }), "seed 5, not 6");
  manual_seed(5);
  refuses(TranslationTrainer(make_translation_gan({.image = 16, .base = 3}), with_critics),
          "base 2, not 3");
  CHECK_THROWS_WITH_AS(gan_spec_of(file), doctest::Contains("translate and evaluate --translator"),
                       Error);
  CHECK(is_translation_checkpoint(file));
  file.metadata.erase("format");
  CHECK_THROWS_WITH_AS(load_translator(file), doctest::Contains("train_translation"), Error);

  const auto cannot = [&](const TranslationTrainerOptions& options, const char* part) {
    CHECK_THROWS_WITH_AS(small(task, options), doctest::Contains(part), Error);
  };
  cannot({.l1 = 0, .l2 = 0, .adversarial = 0}, "nothing to learn");
  cannot({.l1 = -1}, "l1");
  cannot({.l2 = std::numeric_limits<double>::quiet_NaN()}, "0 or more");
  cannot({.ema = 1}, "ema");
  cannot({.lr = -1}, "learning rate");
}
