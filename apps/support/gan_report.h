// What a GAN training run says of itself while it runs: progress, rows of metrics.jsonl, warnings.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/gan_run.h"
#include "apps/support/progress.h"
#include "models/gan_diagnosis.h"

namespace imago::apps {

// Figures of one step as text and as a row of metrics.jsonl. The names in the row are those of
// every loss; d_real and d_fake are means of probabilities where the loss has them, else of scores.
struct GanFigures {
  models::GanLoss loss = models::GanLoss::nonsaturating;
  double loss_d = 0, loss_g = 0, d_real = 0, d_fake = 0, images_per_second = 0;
  std::optional<double> penalty = {}, gradient_norm = {};  // the last that were taken
  std::optional<double> noise = {};                        // of runs with instance noise

  std::string text() const;
  Json row(std::int64_t step) const;
  bool finite() const;
};

// Shows a diagnosis what rows of metrics.jsonl say, in their order. What it would warn of has been
// said when they were written: a run that goes on does not say it again, and waits no longer.
void see_again(models::GanDiagnosis& diagnosis, const std::vector<Json>& rows);

class GanReporter {
 public:
  // For steps first + 1 .. options.steps. Where first > 0 the rows of the run's folder, which end
  // there, are seen again.
  GanReporter(GanRun& run, const GanRunOptions& options, std::int64_t first);

  // After each step, whose real images were `real` (N, S, S, 3) in [-1, 1]. Shows progress, writes
  // the sample grid with `sample`, looks for trouble, and adds a row of metrics, where they are
  // due. Throws when a loss is not finite.
  void report(std::int64_t step, const models::GanStep& result, const Tensor& real, bool sample,
              bool last);
  void finish() { progress_.finish(); }

 private:
  using Clock = std::chrono::steady_clock;

  GanFigures figures_of(std::int64_t step, const models::GanStep& result);
  void warn(std::int64_t step, const std::optional<models::GanWarning>& warning, Json& row);

  GanRun& run_;
  const GanRunOptions& options_;
  Progress progress_;
  models::GanDiagnosis diagnosis_;
  Var penalty_, gradient_norm_;  // of the last step that took one
  Clock::time_point last_time_;
  std::int64_t last_step_;
};

}  // namespace imago::apps
