#include "apps/support/translation_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "models/image_quality.h"

namespace imago::apps {
namespace {

constexpr int sheet_rows = 8, sheet_groups = 4;

models::TranslationTrainerOptions trainer_options(const TranslationFlags& f) {
  models::TranslationTrainerOptions t;
  t.l1 = f.l1;
  t.l2 = f.l2;
  t.adversarial = f.adversarial;
  t.loss = models::gan_loss(f.loss);
  t.lr = f.train.lr;
  if (f.lr_d > 0) t.lr_d = f.lr_d;
  t.ema = f.ema;
  t.seed = f.train.seed;
  return t;
}

}  // namespace

void add_translation_flags(Flags& flags, TranslationFlags& f) {
  add_train_flags(flags, f.train);
  flags.choice("--task", f.task, models::translation_task_names(),
               "inpaint: fill a hole; lowlight: dark to normal; matte: portrait to matte, with "
               "--data procedural");
  flags.choice("--image", f.spec.image, {16, 32, 64, 128}, "Height and width: 16, 32, 64 or 128");
  flags.number("--base", f.spec.base, 1, 256, "Channels at the full image size");
  flags.number("--l1", f.l1, 0, 1e6, "Weight of the mean absolute difference from the truth");
  flags.number("--l2", f.l2, 0, 1e6, "Weight of the mean squared difference");
  flags.number("--adversarial", f.adversarial, 0, 1e6,
               "Weight of what two discriminators say; 0: there are none, nor --loss and --lr-d");
  flags.choice("--loss", f.loss, models::gan_loss_names(),
               "What the discriminators and, against them, the network minimise");
  flags.number("--lr-d", f.lr_d, 0, 1, "Learning rate of the discriminators; 0: --lr");
  flags.number("--ema", f.ema, 0, 0.99999,
               "Results come from a moving average of the network with this decay; 0: none");
}

Json to_json(const TranslationFlags& f) {
  Json json = {{"model", "translation"}};
  json.update(to_json(f.train));
  json.update(Json{{"task", f.task},
                   {"image", f.spec.image},
                   {"base", f.spec.base},
                   {"l1", f.l1},
                   {"l2", f.l2},
                   {"adversarial", f.adversarial},
                   {"loss", f.loss},
                   {"lr-d", f.lr_d},
                   {"ema", f.ema}});
  return json;
}

void take_saved_flags(const Flags& flags, TranslationFlags& f) {
  const SavedFlags saved(
      flags, f.train.out, {"translation"},
      {"data", "batch", "seed", "task", "image", "base", "l1", "l2", "adversarial", "loss", "ema"});
  saved.take(f.train);
  saved.take("task", f.task);
  saved.take("image", f.spec.image);
  saved.take("base", f.spec.base);
  saved.take("l1", f.l1);
  saved.take("l2", f.l2);
  saved.take("adversarial", f.adversarial);
  saved.take("loss", f.loss);
  saved.take("lr-d", f.lr_d);
  saved.take("ema", f.ema);
  const auto among = [](const std::string& name, const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  saved.require(among(f.task, models::translation_task_names()) &&
                among(f.loss, models::gan_loss_names()) && f.l1 >= 0 && f.l2 >= 0 &&
                f.adversarial >= 0 && f.lr_d >= 0 && f.lr_d <= 1 && f.ema >= 0 && f.ema < 1);
}

void settle(const Flags& flags, TranslationFlags& f) {
  f.spec.task = models::translation_task(f.task);
  try {
    models::check_translation_spec(f.spec);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  if (!(f.l1 + f.l2 + f.adversarial > 0)) {
    throw UsageError(
        "one of --l1, --l2 and --adversarial must be positive, or there is nothing to "
        "learn");
  }
  for (const char* flag : {"--loss", "--lr-d"}) {
    if (f.adversarial > 0 || !flags.given(flag)) continue;
    throw UsageError(std::string(flag) +
                     " is of the discriminators, and with --adversarial 0 there are none: leave "
                     "one of the two out");
  }
  check_translation_data(f.spec.task, f.train.data);
}

TranslationTraining::TranslationTraining(const TranslationFlags& flags,
                                         const data::Dataset& held_out)
    : flags_(flags),
      folder_(flags.train.out),
      trainer_(models::make_translation_gan(flags.spec), trainer_options(flags)),
      held_out_(models::degraded(flags.spec.task, all_images(held_out), watched_people,
                                 models::evaluation_degradation_step)),
      of_what_(held_out.describe()) {}

std::string TranslationTraining::quality() const {
  if (!psnr_ || !ssim_) return "";
  char figures[64];
  std::snprintf(figures, sizeof figures, "PSNR %.2f dB, SSIM %.4f", *psnr_, *ssim_);
  return "Not trained on, " + of_what_ + ": " + figures;
}

void TranslationTraining::step(const data::FacesBatch& batch) {
  last_ = {};  // what it holds is not needed beside the next one's
  last_ = trainer_.step(batch.real);
}

StepFigures TranslationTraining::figures() {
  const double loss = last_.loss.item(), l1 = last_.l1.item(), l2 = last_.l2.item();
  char text[160];
  const int length = std::snprintf(text, sizeof text, "loss %.4f  L1 %.4f  L2 %.4f", loss, l1, l2);
  StepFigures figures{"", {}, std::isfinite(loss)};
  figures.row = {{"loss", loss}, {"l1", l1}, {"l2", l2}};
  if (trainer_.adversarial()) {
    const double d_global = last_.loss_d_global.item(), d_local = last_.loss_d_local.item();
    const double g = last_.loss_g.item();
    const models::GanLoss kind = trainer_.options().loss;
    figures.row["loss_d_global"] = d_global;
    figures.row["loss_d_local"] = d_local;
    figures.row["loss_g"] = g;
    figures.row["d_real"] = models::mean_belief(kind, last_.logits_real);
    figures.row["d_fake"] = models::mean_belief(kind, last_.logits_fake);
    figures.finite =
        figures.finite && std::isfinite(d_global) && std::isfinite(d_local) && std::isfinite(g);
    std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length),
                  "  D %.3f and %.3f  G %.3f", d_global, d_local, g);
  }
  figures.text = text;
  return figures;
}

Json TranslationTraining::write_pictures() {
  const Tensor result = trainer_.translate(held_out_.input);
  psnr_ = models::mean_of(models::psnr(result, held_out_.target));
  ssim_ = models::mean_of(models::ssim(result, held_out_.target));
  data::save_png(
      folder_.sample(trainer_.steps_done()),
      comparison_sheet({held_out_.input, result, held_out_.target}, sheet_rows, sheet_groups));
  return {{"psnr", *psnr_}, {"ssim", *ssim_}};
}

std::string TranslationTraining::chart(const std::vector<Json>& rows) const {
  std::vector<Panel> panels = {
      {"Difference from the truth", {series(rows, "L1", "l1"), series(rows, "L2", "l2")}},
      {"PSNR of images not trained on, dB", {series(rows, "PSNR", "psnr")}},
      {"SSIM of images not trained on", {series(rows, "SSIM", "ssim")}, {{"equal images", 1.0}}}};
  if (trainer_.adversarial()) {
    const models::GanBalance balance = models::balance_of(trainer_.options().loss);
    Panel losses{"Discriminators",
                 {series(rows, "global", "loss_d_global"), series(rows, "local", "loss_d_local")}};
    if (balance.d) losses.references.push_back({"cannot tell", *balance.d});
    panels.push_back(losses);
    panels.push_back({"What they say, as the network's loss", {series(rows, "G", "loss_g")}});
  }
  return svg_chart("step", panels);
}

}  // namespace imago::apps
