#include "apps/support/gan_report.h"

#include <cmath>
#include <cstdio>

#include "apps/support/training_warnings.h"

namespace imago::apps {
namespace {

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

std::vector<models::TrainingWarning> see(models::GanDiagnosis& diagnosis, const Json& row) {
  const auto step = row.at("step").get<std::int64_t>();
  std::vector<models::TrainingWarning> warnings;
  const auto add = [&](const std::optional<models::TrainingWarning>& warning) {
    if (warning) warnings.push_back(*warning);
  };
  if (const auto loss_d = number_of(row, "loss_d")) add(diagnosis.see_loss_d(step, *loss_d));
  if (const auto share = number_of(row, "variety")) add(diagnosis.see_variety(step, *share));
  return warnings;
}

void see_again(models::GanDiagnosis& diagnosis, const std::vector<Json>& rows) {
  for (const Json& row : rows) see(diagnosis, row);
}

void tell_warnings(models::GanDiagnosis& diagnosis, Json& row, Progress& progress) {
  tell_warnings(see(diagnosis, row), row, progress);
}

}  // namespace imago::apps
