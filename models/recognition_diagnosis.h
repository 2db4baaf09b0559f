// Telling from the figures of a recogniser's run what has gone wrong in it, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/training_warning.h"

namespace imago::models {

// What is measured on the held-out images, beside the accuracy on the training images, both in
// [0, 1].
struct HeldOutFigures {
  std::optional<double> training_accuracy = {};  // not of triplet
  std::optional<double> accuracy = {};           // of classes that training knows
  std::optional<double> auc = {};                // verification of pairs
  // Of the same pairs, balanced, at the best threshold: 0.5 is chance.
  std::optional<double> verification_accuracy = {};
  double chance = 0;  // accuracy of always giving the commonest answer
};

// Each warning is given once; equal runs get equal warnings. Figures that are NaN say nothing.
//   overfitting      the training accuracy is far above the held-out accuracy of classes (by 0.3 or
//                    more) or, being 0.5 and more, above the verification accuracy (by 0.2 or more:
//                    chance is 0.5 there)
//   learns nothing   held-out accuracy not above chance, or an area below 0.55, after a quarter of
//                    the steps and at least 200
//   collapse         all embeddings are alike: their mean cosine is above 0.98
class RecognitionDiagnosis {
 public:
  explicit RecognitionDiagnosis(std::int64_t steps);  // of the whole run; positive
  // After `step` updates. Of two things that are wrong the one named first above is said first, the
  // other the next time.
  std::optional<TrainingWarning> see(std::int64_t step, const HeldOutFigures& figures);
  std::optional<TrainingWarning> see_mean_cosine(std::int64_t step, double cosine);

 private:
  std::int64_t steps_;
  bool said_overfitting_ = false, said_nothing_ = false, said_collapse_ = false;
};

}  // namespace imago::models
