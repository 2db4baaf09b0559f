// The warnings that are made of a recogniser's figures.
#include "models/recognition_diagnosis.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"

using namespace imago;
using namespace imago::models;

namespace {

const double not_a_number = std::nan("");

std::string named(const std::optional<TrainingWarning>& warning) {
  return warning ? warning->name : "";
}

std::string first(std::int64_t step, const HeldOutFigures& figures, std::int64_t steps = 1000) {
  return named(RecognitionDiagnosis(steps).see(step, figures));
}

}  // namespace

TEST_CASE("recognition diagnosis: overfitting") {
  CHECK(first(10, {.training_accuracy = 0.875, .accuracy = 0.5}) == "overfitting");
  CHECK(first(10, {.training_accuracy = 0.875, .accuracy = 0.625}).empty());
  // Of pairs a fifth is far, however right the training images are.
  CHECK(first(10, {.training_accuracy = 0.875, .verification_accuracy = 0.65}) == "overfitting");
  CHECK(first(10, {.training_accuracy = 0.875, .verification_accuracy = 0.7}).empty());
  CHECK(first(10, {.training_accuracy = 1, .auc = 0.75, .verification_accuracy = 0.75}) ==
        "overfitting");
  CHECK(first(10, {.training_accuracy = 1, .auc = 0.99, .verification_accuracy = 0.98}).empty());
  CHECK(first(10, {.training_accuracy = 0.45, .verification_accuracy = 0.2}).empty());
  CHECK(first(10, {.training_accuracy = 1, .auc = 0.7}).empty());  // what is far is not known
  CHECK(first(10, {.training_accuracy = 1, .verification_accuracy = not_a_number}).empty());
  CHECK(first(10, {.training_accuracy = 0.9, .accuracy = 0.8, .verification_accuracy = 0.6}) ==
        "overfitting");
  const HeldOutFigures strangers{.training_accuracy = 0.98, .verification_accuracy = 0.71};
  const auto of_pairs = RecognitionDiagnosis(1000).see(10, strangers);
  REQUIRE(of_pairs.has_value());
  for (const char* part : {"98%", "71%", "never seen", "more people", "augmentation",
                           "weight decay", "dropout", "fewer steps"}) {
    INFO(part);
    CHECK(of_pairs->text.find(part) != std::string::npos);
  }
  CHECK(first(10, {.accuracy = 0.1, .auc = 0.6}).empty());
  CHECK(first(10, {.training_accuracy = not_a_number, .accuracy = 0.1, .auc = 0.6}).empty());
  CHECK(first(10, {.training_accuracy = 1, .accuracy = not_a_number, .auc = not_a_number}).empty());

  RecognitionDiagnosis diagnosis(1000);
  const HeldOutFigures bad{.training_accuracy = 0.99, .accuracy = 0.15, .auc = 0.9};
  const auto warning = diagnosis.see(100, bad);
  REQUIRE(warning.has_value());
  CHECK(warning->text.find("99%") != std::string::npos);
  CHECK(warning->text.find("15%") != std::string::npos);
  CHECK_FALSE(diagnosis.see(200, bad).has_value());  // said once
}

TEST_CASE("recognition diagnosis: learns nothing") {
  const HeldOutFigures chance{.training_accuracy = 0.25, .accuracy = 0.25, .chance = 0.25};
  CHECK(first(249, chance).empty());  // too early
  CHECK(first(250, chance) == "learns nothing");
  CHECK(first(199, chance, 100).empty());  // of a short run too
  CHECK(first(200, chance, 100) == "learns nothing");
  CHECK(first(251, chance, 1003) == "learns nothing");
  CHECK(first(250, chance, 1003).empty());
  CHECK(first(500, {.accuracy = 0.26, .chance = 0.25}).empty());
  CHECK(first(500, {.auc = 0.54}) == "learns nothing");
  CHECK(first(500, {.auc = 0.56}).empty());
  CHECK(first(500, {.accuracy = not_a_number, .auc = not_a_number, .chance = 0.25}).empty());
  CHECK(first(500, {}).empty());

  RecognitionDiagnosis diagnosis(1000);
  CHECK(named(diagnosis.see(500, chance)) == "learns nothing");
  CHECK_FALSE(diagnosis.see(600, chance).has_value());
  // One thing at a time.
  RecognitionDiagnosis both(1000);
  const HeldOutFigures by_heart{.training_accuracy = 1, .accuracy = 0.2, .chance = 0.25};
  CHECK(named(both.see(500, by_heart)) == "overfitting");
  CHECK(named(both.see(600, by_heart)) == "learns nothing");
  CHECK_FALSE(both.see(700, by_heart).has_value());
}

TEST_CASE("recognition diagnosis: collapse, and a run without steps") {
  RecognitionDiagnosis diagnosis(1000);
  CHECK_FALSE(diagnosis.see_mean_cosine(1, 0.97).has_value());
  CHECK_FALSE(diagnosis.see_mean_cosine(2, not_a_number).has_value());
  CHECK(named(diagnosis.see_mean_cosine(3, 0.99)) == "collapse");
  CHECK_FALSE(diagnosis.see_mean_cosine(4, 0.99).has_value());
  CHECK_THROWS_AS(RecognitionDiagnosis(0), Error);
}
