// Training a recogniser: its pictures, figures and warnings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/support/ancestry.h"
#include "apps/support/cnn_data.h"
#include "apps/support/held_out.h"
#include "apps/support/train_loop.h"
#include "models/recogniser_trainer.h"
#include "models/recognition_diagnosis.h"

namespace imago::apps {

class RecogniserTraining final : public Training {
 public:
  // For settled flags. Fresh weights from the Context's generator, or those of --init. Loads the
  // images that it measures itself with, and says on stdout what is measured; on stderr when --init
  // may have been trained on what is held out.
  RecogniserTraining(const CnnFlags& flags, const RecognitionData& data);

  const models::Recogniser& network() { return trainer_.network(); }

  const char* program() const override { return "train_cnn"; }
  std::int64_t steps_done() const override { return trainer_.steps_done(); }
  void step(const data::FacesBatch& batch) override;
  StepFigures figures() override;
  // Measures the averaged weights on the held-out images; samples/STEP.png shows what came of it:
  // rows of a held-out face and the five that it takes for most alike, or faces whose answer is
  // right or wrong.
  Json write_pictures() override;
  void judge(Json& row, Progress& progress) override;
  void see_again(const std::vector<Json>& rows) override;
  NamedTensors state() const override;
  Metadata metadata() const override;
  // Throws also when the run was started with other images.
  void load(const SafetensorsFile& file) override;
  std::string chart(const std::vector<Json>& rows) const override;

 private:
  // Shows the diagnosis a row; returns what it warns of.
  std::vector<models::TrainingWarning> see(const Json& row);

  CnnFlags flags_;
  RunFolder folder_;
  std::string fingerprint_;
  std::vector<SeenData> seen_;  // by the weights it started from
  models::RecogniserTrainer trainer_;
  HeldOut held_out_;
  models::RecognitionDiagnosis diagnosis_;
  models::RecogniserStep last_;
  // Of the shares of right answers, those of earlier steps weighing less. Saved, so that a run that
  // stops and goes on has the same figures.
  Var accuracy_sum_;          // ()
  std::string last_measure_;  // for the line of progress
};

}  // namespace imago::apps
