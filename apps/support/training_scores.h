// Scores of what a model draws while it trains, at chosen steps: those of models/scores.h, of
// always the same noise against the features of real images, which are computed once.
//
// A Training whose model draws images has one (Training::scores), and the loop does the rest: rows
// of metrics.jsonl get the scores, the lines of progress the Fréchet distance, best.safetensors the
// state of the step with the smallest one. The steps are multiples of --score-every, and 0 for the
// untrained model; nothing else decides them, so that a run that stops and goes on has the scores
// of one that does not, and the same best step.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/run_folder.h"
#include "apps/support/svg_chart.h"
#include "apps/support/train_flags.h"
#include "models/scores.h"

namespace imago::apps {

// The fewest images of each kind that scores can be made of.
std::int64_t least_score_images();

class TrainingScores {
 public:
  // Images (n, S, S, 3), f32 in [-1, 1] on any device, of noise z (n, length) on the Context's
  // device, whose first row is number `first` of all: what else an image is drawn from, such as a
  // class, is to be a function of that number. Must not change what is trained.
  using Draw = std::function<Tensor(const Tensor& z, std::int64_t first)>;

  // For settled flags with scores on; `image` is S. Computes nothing yet.
  TrainingScores(const ScoreFlags& flags, const TrainFlags& train, int image, std::int64_t length,
                 Draw draw);

  // Loads the network and the real images, computes their features, and says on stdout what will be
  // scored on what. Throws where there are no weights.
  void prepare();
  // The rows of a run that goes on. Throws when their scores are of other weights or of another
  // number of images, with which those to come would not compare.
  void see_again(const std::vector<Json>& rows);

  bool due(std::int64_t step) const { return step % flags_.every == 0; }
  // After so many steps: what goes into the row of metrics.
  Json measure(std::int64_t step);

  // Of the last one measured: a line of text without its step, and the end of a line of progress,
  // empty before the first.
  std::string text() const;
  std::string figure() const;
  // The step of the smallest Fréchet distance so far, the first of equals; 0: no trained one yet.
  std::int64_t best_step() const { return best_ ? best_->step : 0; }
  // A sentence on it for the end of a run; empty without one.
  std::string verdict() const;

 private:
  struct Point {
    std::int64_t step;
    double frechet;
  };
  void take(std::int64_t step, double frechet);  // unless it is not finite

  ScoreFlags flags_;
  TrainFlags train_;
  int image_;
  Tensor noise_;  // (images, length)
  Draw draw_;
  std::optional<models::FaceFeatures> network_;
  Tensor real_;  // (images, 128), features
  std::optional<models::Scores> last_;
  std::optional<Point> untrained_, best_;
  std::optional<double> figure_;  // of the last, also of the run so far
};

// Panels for a chart of rows that have scores; none where no row has. Their titles name the
// features.
std::vector<Panel> score_panels(const std::vector<Json>& rows);

}  // namespace imago::apps
