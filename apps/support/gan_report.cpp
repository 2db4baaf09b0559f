#include "apps/support/gan_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace imago::apps {
namespace {

constexpr std::int64_t metrics_every = 10;  // steps between rows of metrics.jsonl
constexpr std::int64_t judged_images = 64;  // real ones at most: as many as a grid has samples

std::string formatted(const char* format, double a, double b) {
  char text[96];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

}  // namespace

std::string GanFigures::text() const {
  std::string line = loss == models::GanLoss::wasserstein
                         ? formatted("Wasserstein estimate %.3f  loss G %.3f", -loss_d, loss_g)
                         : formatted("loss D %.3f G %.3f", loss_d, loss_g);
  line += says_probabilities(loss) ? formatted("  D(x) %.2f  D(G(z)) %.2f", d_real, d_fake)
                                   : formatted("  scores D(x) %.2f  D(G(z)) %.2f", d_real, d_fake);
  if (penalty) {
    line +=
        formatted("  penalty %.3f, gradient %.2f", *penalty, gradient_norm.value_or(std::nan("")));
  }
  return line;
}

Json GanFigures::row(std::int64_t step) const {
  Json row = {{"step", step},     {"loss_d", loss_d},
              {"loss_g", loss_g}, {"d_real", d_real},
              {"d_fake", d_fake}, {"images_per_s", std::round(images_per_second)}};
  if (loss == models::GanLoss::wasserstein) row["wasserstein"] = -loss_d;
  if (penalty) row["penalty"] = *penalty;
  if (gradient_norm) row["gradient_norm"] = *gradient_norm;
  if (noise) row["noise"] = *noise;
  return row;
}

bool GanFigures::finite() const {
  return std::isfinite(loss_d) && std::isfinite(loss_g) && std::isfinite(penalty.value_or(0));
}

void see_again(models::GanDiagnosis& diagnosis, const std::vector<Json>& rows) {
  for (const Json& row : rows) {
    const auto step = row.at("step").get<std::int64_t>();
    const auto number = [&](const char* key) -> std::optional<double> {
      const auto entry = row.find(key);
      if (entry == row.end() || !entry->is_number()) return {};  // null: it was not finite
      return entry->get<double>();
    };
    if (const auto loss_d = number("loss_d")) diagnosis.see_loss_d(step, *loss_d);
    if (const auto share = number("variety")) diagnosis.see_variety(step, *share);
  }
}

GanReporter::GanReporter(GanRun& run, const GanRunOptions& options, std::int64_t first)
    : run_(run),
      options_(options),
      progress_(first, options.steps, std::max<std::int64_t>(options.steps / 50, 1)),
      diagnosis_(run.trainer().options().loss, run.trainer().options().real_target),
      last_time_(Clock::now()),
      last_step_(first) {
  if (first > 0) see_again(diagnosis_, run.folder().read_metrics());
}

void GanReporter::report(std::int64_t step, const models::GanStep& result, const Tensor& real,
                         bool sample, bool last) {
  if (result.penalty) {
    penalty_ = result.penalty;
    gradient_norm_ = result.gradient_norm;
  }
  const bool show = progress_.due(step);
  const bool write = last || sample || step == 1 || step % metrics_every == 0;
  if (!show && !write) return;
  const GanFigures figures = figures_of(step, result);
  if (show) progress_.update(step, figures.images_per_second, figures.text());
  Json row = figures.row(step);
  if (!figures.finite()) {
    if (write) run_.folder().add_metrics(row);
    fail("train_gan", "a loss is not finite at step ", step,
         "; the last checkpoint is untouched. Try a smaller --lr or another --seed");
  }
  if (!write) return;
  warn(step, diagnosis_.see_loss_d(step, figures.loss_d), row);
  if (sample) {
    const Tensor samples = run_.write_sample();
    const Tensor some = real.slice(0, std::min(real.size(0), judged_images));
    if (const std::optional<double> share = models::share_of_variety(samples, some)) {
      row["variety"] = *share;
      warn(step, diagnosis_.see_variety(step, *share), row);
    }
  }
  run_.folder().add_metrics(row);
}

GanFigures GanReporter::figures_of(std::int64_t step, const models::GanStep& result) {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  const models::GanTrainerOptions& o = run_.trainer().options();
  GanFigures figures;
  figures.loss = o.loss;
  figures.loss_d = result.loss_d.item();
  figures.loss_g = result.loss_g.item();
  figures.d_real = models::mean_belief(o.loss, result.logits_real);
  figures.d_fake = models::mean_belief(o.loss, result.logits_fake);
  const std::int64_t images = (step - last_step_) * options_.batch * options_.d_steps;
  figures.images_per_second = static_cast<double>(images) / seconds;
  if (penalty_) figures.penalty = penalty_.item();
  if (gradient_norm_) figures.gradient_norm = gradient_norm_.item();
  if (o.instance_noise > 0) figures.noise = result.noise;
  last_time_ = now;
  last_step_ = step;
  return figures;
}

void GanReporter::warn(std::int64_t step, const std::optional<models::GanWarning>& warning,
                       Json& row) {
  if (!warning) return;
  progress_.finish();
  std::printf("Step %lld, %s: %s.\n", static_cast<long long>(step), warning->name.c_str(),
              warning->text.c_str());
  row["warnings"].push_back(warning->name);
}

}  // namespace imago::apps
