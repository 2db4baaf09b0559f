// What the options of a GAN's training do, one by one.
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/elementwise/elementwise.h"
#include "tests/kernels/random.h"
#include "tests/models/gan_options.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

constexpr std::int64_t few = 2;  // images of an update, where many steps are taken

NamedTensors copy_of(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) copy.emplace(name, tensor.clone());
  return copy;
}

bool finite(const NamedTensors& state) {
  for (const auto& [name, tensor] : state) {
    if (tensor.dtype() == DType::i64) continue;
    if (!(largest_error(tensor, tensor) == 0)) return false;
  }
  return true;
}

// Whether any tensor below `prefix` differs.
bool moved(const NamedTensors& a, const NamedTensors& b, const std::string& prefix) {
  for (const auto& [name, tensor] : entries_under(a, prefix)) {
    if (!same_bits(tensor, b.at(prefix + "." + name))) return true;
  }
  return false;
}

// The state after two steps with these options, on a D without batch norm.
NamedTensors trained(const GanTrainerOptions& options) {
  GanTrainer trainer(plain_gan(), options);
  for (std::uint32_t s = 1; s <= 2; ++s) {
    trainer.step(real_images(s, few * std::int64_t{options.d_steps}));
  }
  return copy_of(trainer.state());
}

GanTrainerOptions everything() {
  return {.loss = GanLoss::hinge,
          .lr_g = 1e-3,
          .lr_d = 4e-4,
          .beta1 = 0.1,
          .beta2 = 0.9,
          .ema = 0.9,
          .seed = 5,
          .penalty = GanPenalty::r1,
          .penalty_weight = 1,
          .penalty_every = 2,
          .clip_weights = 0.05,
          .d_steps = 3,
          .instance_noise = 0.2,
          .noise_steps = 5,
          .augment = {.colour = true, .translation = true, .cutout = true}};
}

void check_resume(const GanTrainerOptions& options) {
  const TemporaryFolder folder;
  const auto make = [&] { return GanTrainer(plain_gan(true), options); };
  const auto step = [&](GanTrainer& trainer, std::uint32_t s) {
    trainer.step(real_images(s, few * std::int64_t{options.d_steps}));
  };
  const auto save_as = [&](const GanTrainer& trainer, const char* name) {
    save_safetensors(folder / name, trainer.state(), trainer.metadata());
    return read_bytes(folder / name);
  };
  GanTrainer whole = make();
  for (std::uint32_t s = 1; s <= 4; ++s) step(whole, s);
  GanTrainer first = make();
  for (std::uint32_t s = 1; s <= 2; ++s) step(first, s);
  const std::string half = save_as(first, "half.safetensors");
  GanTrainer second = make();
  step(second, 9);  // whatever was there before is replaced
  second.load(load_safetensors(folder / "half.safetensors"));
  CHECK(second.steps_done() == 2);
  for (std::uint32_t s = 3; s <= 4; ++s) step(second, s);
  const std::string bytes = save_as(whole, "whole.safetensors");
  CHECK(finite(whole.state()));
  CHECK(bytes == save_as(second, "second.safetensors"));
  CHECK(bytes != half);
}

}  // namespace

TEST_CASE("GAN options: with every loss a step moves both networks, and stays finite") {
  for (const std::string& name : gan_loss_names()) {
    CAPTURE(name);
    GanTrainerOptions options{.loss = gan_loss(name), .seed = 5};
    if (options.loss == GanLoss::wasserstein) options.clip_weights = 0.1;
    GanTrainer trainer(plain_gan(), options);
    const NamedTensors before = copy_of(trainer.state());
    const GanStep step = trainer.step(real_images(1));
    CHECK(moved(before, trainer.state(), "g"));
    CHECK(moved(before, trainer.state(), "d"));
    CHECK(finite(trainer.state()));
    CHECK(std::isfinite(step.loss_d.item()));
    CHECK(std::isfinite(step.loss_g.item()));
    CHECK_FALSE(step.penalty.defined());
  }
}

TEST_CASE("GAN options: each option changes what a run does, and nothing becomes infinite") {
  const GanTrainerOptions plain{.seed = 5};
  const NamedTensors base = trained(plain);
  const auto check = [&](const char* what, const GanTrainerOptions& options) {
    INFO(what);
    const NamedTensors state = trained(options);
    CHECK(finite(state));
    CHECK(moved(base, state, "d"));
    CHECK(moved(base, state, "g"));
  };
  check("gp", {.seed = 5, .penalty = GanPenalty::gp});
  check("r1", {.seed = 5, .penalty = GanPenalty::r1});
  check("clip", {.seed = 5, .clip_weights = 0.01});
  check("d_steps", {.seed = 5, .d_steps = 2});
  check("smooth", {.seed = 5, .real_target = 0.9});
  check("noise", {.seed = 5, .instance_noise = 0.1, .noise_steps = 10});
  check("beta1", {.beta1 = 0.1, .seed = 5});
  check("beta2", {.beta2 = 0.9, .seed = 5});
  check("lr_g", {.lr_g = 1e-3, .seed = 5});
  check("lr_d", {.lr_d = 1e-3, .seed = 5});
  for (int kind = 0; kind < 3; ++kind) {
    GanTrainerOptions options = plain;
    options.augment = {.colour = kind == 0, .translation = kind == 1, .cutout = kind == 2};
    check("augment", options);
  }
}

TEST_CASE("GAN options: each of two rates moves its own network, and one rate both") {
  const auto after_one = [](const GanTrainerOptions& options) {
    GanTrainer trainer(plain_gan(), options);
    trainer.step(real_images(1));
    return copy_of(trainer.state());
  };
  const NamedTensors base = after_one({.seed = 5}), fast_g = after_one({.lr_g = 1e-3, .seed = 5});
  CHECK(moved(base, fast_g, "g"));
  CHECK_FALSE(moved(base, fast_g, "d"));
  CHECK(moved(base, after_one({.lr_d = 1e-3, .seed = 5}), "d"));
  const NamedTensors both = after_one({.lr_g = 1e-3, .lr_d = 1e-3, .seed = 5});
  const NamedTensors one = after_one({.lr = 1e-3, .seed = 5});
  for (const auto& [name, tensor] : one) {
    CAPTURE(name);
    CHECK(same_bits(tensor, both.at(name)));
  }
}

TEST_CASE(
    "GAN options: penalties of a linear D are known, and so is what they add to its gradient") {
  // With lr 0 nothing moves, and what a step leaves behind are the gradients it used.
  const auto gradient = [](const GanTrainerOptions& options, GanStep& step) {
    GanTrainer trainer(linear_gan(), options);
    step = trainer.step(real_images(1));
    return to_f64(trainer.gan().discriminator.parameters().at(0).grad().tensor());
  };
  const Tensor w = to_f64(linear_gan().discriminator.parameters().at(0).tensor());
  const double norm = std::sqrt(dot(w, w));
  GanStep none, r1, gp;
  const Tensor plain = gradient({.lr = 0, .seed = 5}, none);
  const Tensor with_r1 = gradient(
      {.lr = 0, .seed = 5, .penalty = GanPenalty::r1, .penalty_weight = 8, .penalty_every = 3}, r1);
  const Tensor with_gp = gradient({.lr = 0, .seed = 5, .penalty = GanPenalty::gp}, gp);
  CHECK(std::abs(r1.penalty.item() - norm * norm) <= 1e-5 * norm * norm);
  CHECK(std::abs(gp.penalty.item() - (norm - 1) * (norm - 1)) <= 1e-5);
  CHECK(std::abs(r1.gradient_norm.item() - norm) <= 1e-5 * norm);
  CHECK(std::abs(gp.gradient_norm.item() - norm) <= 1e-5 * norm);
  CHECK_FALSE(none.gradient_norm.defined());
  CHECK(same_bits(none.loss_d.tensor(), r1.loss_d.tensor()));  // the penalty is apart from it
  // d/dw of 8/2 * 3 |w|^2 is 24 w; of 10 (|w| - 1)^2 it is 20 (1 - 1 / |w|) w.
  for (std::int64_t i = 0; i < w.numel(); ++i) {
    const double wi = w.data<double>()[i], before = plain.data<double>()[i];
    const double d_r1 = with_r1.data<double>()[i] - before - 24 * wi;
    const double d_gp = with_gp.data<double>()[i] - before - 20 * (1 - 1 / norm) * wi;
    if (!(std::abs(d_r1) <= 1e-5) || !(std::abs(d_gp) <= 1e-5)) FAIL("element " << i);
  }
}

TEST_CASE("GAN options: a lazy penalty counts the updates of D over the run") {
  GanTrainer trainer(plain_gan(), {.seed = 5,
                                   .penalty = GanPenalty::r1,
                                   .penalty_weight = 0.1,
                                   .penalty_every = 3,
                                   .d_steps = 2});
  // Updates 0 1, 2 3, 4 5, 6 7: those that 3 divides are in steps 1, 2 and 4.
  for (const bool due : {true, true, false, true}) {
    CHECK(trainer.step(real_images(1, 8)).penalty.defined() == due);
  }
  CHECK(penalty_factor(GanPenalty::r1, 10, 16) == 80);
  CHECK(penalty_factor(GanPenalty::gp, 10, 1) == 10);
  CHECK(penalty_factor(GanPenalty::none, 10, 1) == 0);
}

TEST_CASE("GAN options: weights are clipped after each update of D") {
  GanTrainer trainer(make_gan({"dcgan16", 4}),
                     {.loss = GanLoss::wasserstein, .seed = 5, .clip_weights = 0.01});
  trainer.step(real_images(1));
  for (const Var& p : trainer.gan().discriminator.parameters()) {
    CHECK(largest(p.tensor()) <= 0.01 * (1 + 1e-6));
  }
  CHECK(largest(trainer.gan().generator.parameters().at(1).tensor()) > 0.5);  // gamma, near 1
}

TEST_CASE("GAN options: spectral norm bounds D for the wasserstein loss, and needs no clipping") {
  const GanTrainerOptions wasserstein{.loss = GanLoss::wasserstein, .seed = 5};
  GanTrainer trainer(spectral_gan(), wasserstein);
  const NamedTensors before = copy_of(trainer.state());
  CHECK(std::isfinite(trainer.step(real_images(1)).loss_d.item()));
  CHECK(moved(before, trainer.state(), "d"));
  CHECK(finite(trainer.state()));
  check_gan_options(wasserstein, make_gan({"sndcgan32", 2}));
  check_gan_options(wasserstein, make_gan({"resnet32", 2}));

  // One layer without it has any slope. Clipping is no way out where another layer undoes it.
  GanTrainerOptions clipped = wasserstein, penalised = wasserstein;
  clipped.clip_weights = 0.01;
  penalised.penalty = GanPenalty::gp;
  const auto message = [](const GanTrainerOptions& options, const Gan& gan) {
    return error_of([&] { check_gan_options(options, gan); });
  };
  CHECK(contains(message(wasserstein, spectral_gan(false)), "spectral norm in all its layers"));
  CHECK(contains(message(clipped, spectral_gan(false)), "clip-weights does nothing"));
  CHECK(contains(message(clipped, spectral_gan()), "without spectral norm"));
  CHECK(contains(message({.clip_weights = 0.01}, spectral_gan()), "clip-weights does nothing"));
  check_gan_options(penalised, spectral_gan(false));
  check_gan_options(clipped, plain_gan());
}

TEST_CASE("GAN options: k steps of D take k batches, and G goes on from the last") {
  Gan twin = plain_gan();
  GanTrainer trainer(plain_gan(), {.lr = 0, .seed = 5, .d_steps = 2});
  const Tensor real = real_images(1, 8), z = kernels::normal({8, 100}, DType::f32, {8, 0, 0});
  const GanStep step = trainer.step(real, z);
  CHECK(same_bits(step.logits_real.tensor(), twin.discriminator(real.slice(4, 8)).tensor()));
  const Var fake = twin.generator(z.slice(4, 8));
  const Var logits = twin.discriminator(fake);
  CHECK(same_bits(step.logits_fake.tensor(), logits.tensor()));
  CHECK(same_bits(step.loss_g.tensor(), loss_of_g(GanLoss::nonsaturating, logits).tensor()));
  const NamedTensors state = trainer.state();
  CHECK(largest(kernels::cast(state.at("opt_d.steps"), DType::f32)) == 2);
  CHECK(largest(kernels::cast(state.at("opt_g.steps"), DType::f32)) == 1);
  CHECK_THROWS_WITH_AS(trainer.step(real_images(1, 7)), doctest::Contains("d-steps"), Error);
  CHECK_THROWS_WITH_AS(trainer.step(real, z.slice(0, 4)), doctest::Contains("noise"), Error);
  CHECK(trainer.steps_done() == 1);
}

TEST_CASE("GAN options: fresh noise and fresh masks in each step of D") {
  // Twice the same images, nothing moves: only what is drawn can differ.
  const Tensor once = real_images(1);
  Tensor twice = Tensor::empty({8, 16, 16, 3}, DType::f32, once.device());
  twice.slice(0, 4).copy_from(once);
  twice.slice(4, 8).copy_from(once);
  std::vector<Tensor> seen;
  GanTrainer trainer(plain_gan(true), {.lr = 0, .seed = 5, .d_steps = 2});
  const HookHandle look = trainer.gan().discriminator.register_forward_hook(
      [&](nn::Module&, const Var&, const Var& y) { seen.push_back(y.tensor().clone()); });
  trainer.step(twice);
  REQUIRE(seen.size() == 5);  // real and fake, twice, and G's
  CHECK_FALSE(same_bits(seen[0], seen[2]));
  CHECK_FALSE(same_bits(seen[1], seen[3]));
}

TEST_CASE("GAN options: no option moves another's random numbers") {
  // With lr 0 all steps start from the same weights; D's dropout draws numbers in every pass.
  const auto step = [](GanTrainerOptions options) {
    options.lr = 0;
    options.seed = 5;
    GanTrainer trainer(plain_gan(true), options);
    const Tensor real = real_images(1);
    if (options.d_steps == 1) return trainer.step(real);
    Tensor more = Tensor::empty({8, 16, 16, 3}, DType::f32, real.device());
    more.slice(0, 4).copy_from(real_images(2));
    more.slice(4, 8).copy_from(real);
    return trainer.step(more);
  };
  const auto same = [](const GanStep& a, const GanStep& b) {
    CHECK(same_bits(a.logits_real.tensor(), b.logits_real.tensor()));
    CHECK(same_bits(a.logits_fake.tensor(), b.logits_fake.tensor()));
    CHECK(same_bits(a.loss_g.tensor(), b.loss_g.tensor()));
  };
  const DiffAugmentOptions all{.colour = true, .translation = true, .cutout = true};
  const GanStep plain = step({});
  same(plain, step({.penalty = GanPenalty::gp}));
  same(plain, step({.penalty = GanPenalty::r1, .d_steps = 2}));
  const GanStep noisy = step({.instance_noise = 0.3, .noise_steps = 10, .augment = all});
  CHECK_FALSE(same_bits(plain.logits_real.tensor(), noisy.logits_real.tensor()));
  same(noisy, step({.penalty = GanPenalty::gp,
                    .d_steps = 2,
                    .instance_noise = 0.3,
                    .noise_steps = 10,
                    .augment = all}));
}

TEST_CASE("GAN options: instance noise fades to nothing in its steps") {
  GanTrainer trainer(plain_gan(), {.seed = 5, .instance_noise = 0.4, .noise_steps = 4});
  for (const double want : {0.4, 0.3, 0.2, 0.1, 0.0, 0.0}) {
    CHECK(std::abs(trainer.step(real_images(1)).noise - want) <= 1e-12);
  }
}

TEST_CASE("GAN options: N + M steps equal N, save, load and M with everything on") {
  check_resume(everything());
}

TEST_CASE("GAN options: the same for WGAN-GP and for least squares with smoothing") {
  check_resume({.loss = GanLoss::wasserstein, .seed = 5, .penalty = GanPenalty::gp, .d_steps = 2});
  check_resume({.loss = GanLoss::lsgan, .seed = 5, .real_target = 0.9});
}

TEST_CASE("GAN options: a checkpoint says what was chosen, and nothing of what was not") {
  GanTrainer plain(plain_gan(), {.seed = 5}), chosen(plain_gan(), everything());
  CHECK(chosen_options(plain.options()).empty());  // as from before there was a choice
  CHECK_FALSE(plain.metadata().contains("penalty"));
  const Metadata metadata = chosen.metadata();
  CHECK(metadata.at("penalty") == "r1");
  CHECK(metadata.at("d-steps") == "3");
  CHECK(metadata.at("augment") == "colour,translation,cutout");
  CHECK_FALSE(metadata.contains("smooth"));
  plain.load({"old.safetensors", plain.state(), plain.metadata()});
  GanTrainerOptions other = everything();
  other.penalty_weight = 2;
  GanTrainer heavier(plain_gan(), other);
  const SafetensorsFile file{"x.safetensors", chosen.state(), metadata};
  CHECK_THROWS_WITH_AS(heavier.load(file), doctest::Contains("penalty-weight 1, not 2"), Error);
  GanTrainerOptions without = everything();
  without.augment = GanTrainerOptions().augment;
  GanTrainer bare(plain_gan(), without);
  CHECK_THROWS_WITH_AS(bare.load(file), doctest::Contains("augment colour"), Error);
  GanTrainer faster(plain_gan(), [] {
    GanTrainerOptions o = everything();
    o.lr_d = 1e-5;  // rates may change
    return o;
  }());
  faster.load(file);
}

TEST_CASE("GAN options: what does not go together is refused with the way out") {
  const auto message = [](const GanTrainerOptions& options) {
    return error_of([&] { GanTrainer(plain_gan(), options); });
  };
  CHECK(contains(message({.loss = GanLoss::wasserstein}), "bounded slope"));
  CHECK(contains(message({.loss = GanLoss::wasserstein, .penalty = GanPenalty::r1}), "penalty gp"));
  CHECK(contains(message({.loss = GanLoss::hinge, .real_target = 0.9}), "nothing to smooth"));
  CHECK(contains(message({.instance_noise = 0.1}), "instance-noise-steps"));
  CHECK(contains(message({.real_target = 0}), "smooth"));
  CHECK(contains(message({.penalty_every = 4}), "needs a penalty"));
  CHECK(contains(message({.penalty = GanPenalty::gp, .penalty_every = 0}), "at least 1"));
  CHECK(contains(message({.penalty = GanPenalty::gp, .penalty_weight = -1}), "penalty-weight"));
  CHECK(contains(message({.d_steps = 0}), "d-steps"));
  CHECK(contains(message({.clip_weights = std::nan("")}), "clip-weights"));
  CHECK(contains(message({.lr_g = -1}), "learning rate"));
  CHECK(contains(message({.beta1 = 1}), "beta1"));
  for (const GanPenalty penalty : {GanPenalty::gp, GanPenalty::r1}) {
    const std::string error = error_of([&] {
      GanTrainer(make_gan({"dcgan16", 4}), {.penalty = penalty});
    });
    CHECK(contains(error, "batch norm (layers.2.norm)"));
    CHECK(contains(error, "spectral norm"));
  }
  CHECK(contains(error_of([] { gan_loss("wgan"); }), "wasserstein"));
  CHECK(contains(error_of([] { gan_penalty("r2"); }), "none gp r1"));
}
