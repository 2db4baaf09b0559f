#include "apps/support/gan_run.h"

#include <algorithm>

#include "apps/support/flags.h"
#include "apps/support/gan_chart.h"
#include "apps/support/gan_report.h"
#include "data/image.h"
#include "kernels/image/image.h"

namespace imago::apps {
namespace {

constexpr std::int64_t judged_images = 64;  // real ones at most: as many as a grid has samples

models::GanTrainer make_trainer(const GanFlags& f) {
  models::Gan gan = models::make_gan({f.model, f.base});
  const models::GanTrainerOptions options = trainer_options(f);
  try {
    check_gan_options(options, gan);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return models::GanTrainer(std::move(gan), options);
}

}  // namespace

GanTraining::GanTraining(const GanFlags& flags)
    : folder_(flags.train.out),
      trainer_(make_trainer(flags)),
      diagnosis_(trainer_.options().loss, trainer_.options().real_target),
      fixed_noise_(fixed_noise(flags.train.seed, trainer_.gan().z)) {
  if (flags.score.every == 0) return;
  const models::Gan& gan = trainer_.gan();
  scores_.emplace(flags.score, flags.train, gan.image, gan.z,
                  [this](const Tensor& z, std::int64_t) { return trainer_.generate(z); });
}

void GanTraining::step(const data::FacesBatch& batch) {
  last_ = {};  // what it holds is not needed beside the next one's
  last_ = trainer_.step(batch.real);
  real_ = batch.real;
  if (last_.penalty) {
    penalty_ = last_.penalty;
    gradient_norm_ = last_.gradient_norm;
  }
}

StepFigures GanTraining::figures() {
  const models::GanTrainerOptions& o = trainer_.options();
  GanFigures figures;
  figures.loss = o.loss;
  figures.loss_d = last_.loss_d.item();
  figures.loss_g = last_.loss_g.item();
  figures.d_real = models::mean_belief(o.loss, last_.logits_real);
  figures.d_fake = models::mean_belief(o.loss, last_.logits_fake);
  if (penalty_) figures.penalty = penalty_.item();
  if (gradient_norm_) figures.gradient_norm = gradient_norm_.item();
  if (o.instance_noise > 0) figures.noise = last_.noise;
  return {figures.text(), figures.row(trainer_.steps_done()), figures.finite()};
}

Json GanTraining::write_pictures() {
  const Tensor samples = trainer_.generate(fixed_noise_);
  const Tensor images = kernels::denormalize_u8(samples).to(Device::cpu());
  data::save_png(folder_.sample(trainer_.steps_done()),
                 data::image_grid(images, sample_grid, sample_grid));
  Json measured = Json::object();
  if (!real_) return measured;
  const Tensor some = real_.slice(0, std::min(real_.size(0), judged_images));
  if (const std::optional<double> share = models::share_of_variety(samples, some)) {
    measured["variety"] = *share;
  }
  return measured;
}

void GanTraining::judge(Json& row, Progress& progress) {
  tell_warnings(diagnosis_, row, progress);
}

void GanTraining::see_again(const std::vector<Json>& rows) {
  apps::see_again(diagnosis_, rows);
}

std::string GanTraining::chart(const std::vector<Json>& rows) const {
  return gan_chart(rows, trainer_.options());
}

}  // namespace imago::apps
