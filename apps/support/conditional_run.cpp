#include "apps/support/conditional_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/support/gan_chart.h"
#include "apps/support/gan_report.h"
#include "data/image.h"
#include "kernels/image/image.h"

namespace imago::apps {
namespace {

constexpr std::int64_t judged_images = 64;  // at most: as many as there is fixed noise
constexpr std::int64_t most_rows = 16;      // of a picture

models::ConditionalGanTrainer make_trainer(const GanFlags& flags, const Classes& classes) {
  check(classes.names.size() >= 2, "train_gan", flags.labels, ": all images are of one class, ",
        list_of(classes.names), "; leave --labels out, or tell them apart");
  const auto count = static_cast<int>(classes.names.size());
  return models::ConditionalGanTrainer(models::make_conditional_gan(conditional_spec(flags, count)),
                                       conditional_options(flags));
}

// Labels (n) of images first, first + 1, ...: each class in its turn.
Tensor in_turn(std::int64_t first, std::int64_t n, std::size_t classes) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    labels[static_cast<std::size_t>(i)] = (first + i) % static_cast<std::int64_t>(classes);
  }
  return Tensor::from<std::int64_t>(labels, {n}).to(Context::current().device);
}

std::vector<std::string> as_text(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> text;
  for (const std::int64_t number : numbers) text.push_back(std::to_string(number));
  return text;
}

}  // namespace

ConditionalTraining::ConditionalTraining(const GanFlags& flags, const data::Labels& labels)
    : folder_(flags.train.out),
      classes_(classes_of(labels, flags.labels)),
      trainer_(make_trainer(flags, classes_)),
      diagnosis_(loss(), 1),
      fixed_noise_(fixed_noise(flags.train.seed, trainer_.gan().spec.z)) {
  if (flags.score.every == 0) return;
  const models::ConditionalGanSpec& spec = trainer_.gan().spec;
  scores_.emplace(flags.score, flags.train, spec.image, spec.z,
                  [this](const Tensor& z, std::int64_t first) {
                    return trainer_.generate(z, in_turn(first, z.size(0), classes_.names.size()));
                  });
}

// The same loss by its name among those of unconditional GANs.
models::GanLoss ConditionalTraining::loss() const {
  return models::gan_loss(models::name_of(trainer_.options().loss));
}

void ConditionalTraining::step(const data::FacesBatch& batch) {
  last_ = {};  // what it holds is not needed beside the next one's
  last_ = trainer_.step(batch.real, batch.labels);
  batch_ = batch;
}

StepFigures ConditionalTraining::figures() {
  // Losses without those of the classes, which have a scale of their own: what they mean, and what
  // is told from them, is as without classes.
  GanFigures figures;
  figures.loss = loss();
  figures.loss_d = last_.real_fake_d.item();
  figures.loss_g = last_.real_fake_g.item();
  figures.d_real = models::mean_belief(figures.loss, last_.logits_real);
  figures.d_fake = models::mean_belief(figures.loss, last_.logits_fake);
  StepFigures all{figures.text(), figures.row(trainer_.steps_done()), figures.finite()};
  if (last_.class_real) {
    const double real = last_.class_real.item(), fake = last_.class_fake.item();
    char text[64];
    std::snprintf(text, sizeof text, "  classes of real %.3f of fakes %.3f", real, fake);
    all.text += text;
    all.row["class_real"] = real;
    all.row["class_fake"] = fake;
    all.finite = all.finite && std::isfinite(real) && std::isfinite(fake);
  }
  return all;
}

Json ConditionalTraining::write_pictures() {
  const auto rows = std::min(static_cast<std::int64_t>(classes_.names.size()), most_rows);
  const Tensor noise = fixed_noise_.slice(0, sample_grid);
  const std::int64_t S = trainer_.gan().spec.image;
  Tensor images = Tensor::empty({rows * sample_grid, S, S, 3}, DType::u8, Device::cpu());
  for (std::int64_t r = 0; r < rows; ++r) {
    const Tensor labels = Tensor::full({sample_grid}, static_cast<double>(r), DType::i64);
    images.slice(r * sample_grid, (r + 1) * sample_grid)
        .copy_from(kernels::denormalize_u8(trainer_.generate(noise, labels)));
  }
  data::save_png(folder_.sample(trainer_.steps_done()),
                 data::image_grid(images, static_cast<int>(rows), sample_grid));
  Json measured = Json::object();
  if (!batch_.real) return measured;
  const std::int64_t some = std::min(batch_.real.size(0), judged_images);
  const Tensor samples =
      trainer_.generate(fixed_noise_.slice(0, some), batch_.labels.slice(0, some));
  if (const std::optional<double> share =
          models::share_of_variety(samples, batch_.real.slice(0, some))) {
    measured["variety"] = *share;
  }
  return measured;
}

void ConditionalTraining::judge(Json& row, Progress& progress) {
  tell_warnings(diagnosis_, row, progress);
}

void ConditionalTraining::see_again(const std::vector<Json>& rows) {
  apps::see_again(diagnosis_, rows);
}

Metadata ConditionalTraining::metadata() const {
  Metadata metadata = trainer_.metadata();
  add_classes(metadata, classes_);
  return metadata;
}

void ConditionalTraining::load(const SafetensorsFile& file) {
  if (models::is_conditional_gan(file)) {
    const Classes saved = read_classes(file);
    check(saved.names == classes_.names, "resume", file.path, " was trained on the classes ",
          list_of(saved.names), ", but there are ", list_of(classes_.names),
          " now; restore the labels or start a new run");
    if (saved.times != classes_.times) {
      std::fprintf(stderr,
                   "train_gan: the classes %s have %s images now, %s when the run was saved: the "
                   "run goes on, but not as it would have without the stop\n",
                   list_of(saved.names).c_str(), list_of(as_text(classes_.times)).c_str(),
                   list_of(as_text(saved.times)).c_str());
    }
  }
  trainer_.load(file);
}

std::string ConditionalTraining::chart(const std::vector<Json>& rows) const {
  models::GanTrainerOptions options;
  options.loss = loss();
  return gan_chart(rows, options, static_cast<int>(classes_.names.size()));
}

}  // namespace imago::apps
