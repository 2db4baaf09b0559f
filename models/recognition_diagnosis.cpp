#include "models/recognition_diagnosis.h"

#include <sstream>

#include "tensor/error.h"

namespace imago::models {
namespace {

constexpr double wide_gap = 0.3;           // between training and held-out accuracy
constexpr double wide_gap_of_pairs = 0.2;  // the same for pairs, half of which chance has right
constexpr double knows_some = 0.5;         // of the training images are right
constexpr double hopeless_area = 0.55;     // 0.5 is chance
constexpr double alike = 0.98;             // mean cosine of embeddings
constexpr std::int64_t judged_from = 200;  // steps, in however short a run

std::ostringstream sentence() {
  std::ostringstream text;
  text.precision(3);
  return text;
}

// Comparisons are written so that NaN is never a reason for a warning.
std::optional<std::string> overfitting(const HeldOutFigures& f) {
  if (!f.training_accuracy) return {};
  auto text = sentence();
  text << "it is right about " << 100 * *f.training_accuracy << "% of the images it trains on, ";
  if (f.accuracy && *f.training_accuracy - *f.accuracy >= wide_gap) {
    text << "but about " << 100 * *f.accuracy << "% of those held out";
  } else if (f.verification_accuracy && *f.training_accuracy >= knows_some &&
             *f.training_accuracy - *f.verification_accuracy >= wide_gap_of_pairs) {
    text << "but about " << 100 * *f.verification_accuracy
         << "% of the pairs of people it has never seen, of which guessing gets 50%";
  } else {
    return {};
  }
  text << ": it learns its images by heart; more people and more images of each, augmentation, "
          "weight decay, dropout or fewer steps helps";
  return text.str();
}

std::optional<std::string> learns_nothing(const HeldOutFigures& f) {
  auto text = sentence();
  if (f.accuracy && *f.accuracy <= f.chance) {
    text << "held-out accuracy is " << 100 * *f.accuracy << "%, and always giving the commonest "
         << "answer would be right " << 100 * f.chance << "% of the time";
  } else if (f.auc && *f.auc < hopeless_area) {
    text << "the area under the curve of held-out pairs is " << *f.auc << ", and 0.5 is chance";
  } else {
    return {};
  }
  text << "; another learning rate, labels that belong to their images, or a smaller margin or "
          "scale helps";
  return text.str();
}

}  // namespace

RecognitionDiagnosis::RecognitionDiagnosis(std::int64_t steps) : steps_(steps) {
  check(steps > 0, "RecognitionDiagnosis", "a run has at least 1 step, not ", steps);
}

std::optional<TrainingWarning> RecognitionDiagnosis::see(std::int64_t step,
                                                         const HeldOutFigures& figures) {
  if (!said_overfitting_) {
    if (const auto text = overfitting(figures)) {
      said_overfitting_ = true;
      return TrainingWarning{"overfitting", *text};
    }
  }
  // Four times the step, so that a quarter of the steps is a whole number of them.
  if (!said_nothing_ && step >= judged_from && 4 * step >= steps_) {
    if (const auto text = learns_nothing(figures)) {
      said_nothing_ = true;
      return TrainingWarning{"learns nothing", *text};
    }
  }
  return {};
}

std::optional<TrainingWarning> RecognitionDiagnosis::see_mean_cosine(std::int64_t, double cosine) {
  if (said_collapse_ || !(cosine > alike)) return {};
  said_collapse_ = true;
  auto text = sentence();
  text << "the mean cosine between embeddings is above " << alike
       << ": all faces have nearly the same one; a smaller learning rate, a smaller margin or, "
          "with triplets, more people in a batch helps";
  return TrainingWarning{"collapse", text.str()};
}

}  // namespace imago::models
