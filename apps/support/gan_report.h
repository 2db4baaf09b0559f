// What a GAN training run says of itself while it runs: figures and warnings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/progress.h"
#include "apps/support/run_folder.h"
#include "models/gan_diagnosis.h"

namespace imago::apps {

// Figures of one step as text and as a row of metrics.jsonl. The names in the row are those of
// every loss; d_real and d_fake are means of probabilities where the loss has them, else of scores.
// The loop that measures images_per_second may put it into the row later.
struct GanFigures {
  models::GanLoss loss = models::GanLoss::nonsaturating;
  double loss_d = 0, loss_g = 0, d_real = 0, d_fake = 0, images_per_second = 0;
  std::optional<double> penalty = {}, gradient_norm = {};  // the last that were taken
  std::optional<double> noise = {};                        // of runs with instance noise

  std::string text() const;
  Json row(std::int64_t step) const;
  bool finite() const;
};

// Shows a diagnosis what a row of metrics.jsonl says; returns what it warns of.
std::vector<models::TrainingWarning> see(models::GanDiagnosis& diagnosis, const Json& row);
// The same with rows in their order, whose warnings were given when they were written: a run that
// goes on does not say them again, and waits no longer.
void see_again(models::GanDiagnosis& diagnosis, const std::vector<Json>& rows);

// Shows a diagnosis a row that is about to be written: prints what it warns of, and adds the names
// of the warnings to the row.
void tell_warnings(models::GanDiagnosis& diagnosis, Json& row, Progress& progress);

}  // namespace imago::apps
