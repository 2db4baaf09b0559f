#include "apps/support/gan_chart.h"

#include <algorithm>
#include <cmath>

#include "apps/support/train_loop.h"
#include "apps/support/training_scores.h"

namespace imago::apps {
namespace {

using models::GanLoss;

bool any(const std::vector<Json>& rows, const char* key) {
  return std::any_of(rows.begin(), rows.end(), [&](const Json& row) { return row.contains(key); });
}

Panel losses(const std::vector<Json>& rows, const models::GanTrainerOptions& o) {
  const models::GanBalance balance = balance_of(o.loss, o.real_target);
  std::string d = "D cannot tell", g = "G there";
  if (o.real_target == 1) {
    switch (o.loss) {
      case GanLoss::nonsaturating:
        d = "log 4: D cannot tell", g = "log 2: G at D = 1/2";
        break;
      case GanLoss::minimax:
        d = "log 4: D cannot tell", g = "-log 2: G at D = 1/2";
        break;
      case GanLoss::lsgan:
        d = "1/4: D cannot tell", g = "1/8: G there";
        break;
      case GanLoss::hinge:
        d = "2: D cannot tell", g = "0: G there";
        break;
      case GanLoss::wasserstein:
        d = "0: D cannot tell";
        break;
    }
  }
  Panel panel{"Losses", {series(rows, "D", "loss_d"), series(rows, "G", "loss_g")}, {}};
  if (balance.d) panel.references.push_back({d, *balance.d});
  if (balance.g) panel.references.push_back({g, *balance.g});
  return panel;
}

Panel beliefs(const std::vector<Json>& rows, GanLoss loss) {
  Panel panel{
      "What D believes", {series(rows, "D(x)", "d_real"), series(rows, "D(G(z))", "d_fake")}, {}};
  switch (loss) {
    case GanLoss::nonsaturating:
    case GanLoss::minimax:
      panel.references = {{"1/2", 0.5}, {"0", 0.0}, {"1", 1.0}};
      break;
    case GanLoss::lsgan:
      panel.title = "Scores of D (no probabilities)";
      panel.references = {{"0: target of fakes", 0.0}, {"1: target of real", 1.0}};
      break;
    case GanLoss::hinge:
      panel.title = "Scores of D (no probabilities)";
      panel.references = {{"-1: margin of fakes", -1.0}, {"1: margin of real", 1.0}};
      break;
    case GanLoss::wasserstein:
      panel.title = "Scores of D (no probabilities; only differences count)";
      break;
  }
  return panel;
}

}  // namespace

std::string gan_chart(const std::vector<Json>& rows, const models::GanTrainerOptions& options,
                      int classes) {
  std::vector<Panel> panels = {losses(rows, options), beliefs(rows, options.loss)};
  if (any(rows, "wasserstein")) {
    panels.push_back({"Wasserstein estimate: E D(x) - E D(G(z))",
                      {series(rows, "estimate", "wasserstein")},
                      {{"0: alike", 0.0}}});
  }
  if (any(rows, "penalty")) {
    const bool gp = options.penalty == models::GanPenalty::gp;
    panels.push_back({"Penalty on D's gradient",
                      {series(rows, "penalty", "penalty"), series(rows, "norm", "gradient_norm")},
                      {{gp ? "1: norm to reach" : "0: norm to reach", gp ? 1.0 : 0.0}}});
  }
  if (any(rows, "class_real")) {
    panels.push_back({"Classifier's cross-entropy",
                      {series(rows, "real images", "class_real"),
                       series(rows, "G's fakes, as asked for", "class_fake")},
                      {{"log " + std::to_string(classes) + ": guesses", std::log(classes)},
                       {"0: sure, and right", 0.0}}});
  }
  if (any(rows, "variety")) {
    panels.push_back({"Variety of the samples",
                      {series(rows, "samples", "variety")},
                      {{"1: real images", 1.0}, {"0: one picture", 0.0}}});
  }
  for (const Panel& panel : score_panels(rows)) panels.push_back(panel);
  return svg_chart("step", panels);
}

}  // namespace imago::apps
