// Training a conditional GAN: its pictures, figures and warnings.
#pragma once

#include <optional>

#include "apps/support/classes.h"
#include "apps/support/gan_flags.h"
#include "apps/support/train_loop.h"
#include "apps/support/training_scores.h"
#include "models/conditional_gan_trainer.h"
#include "models/gan_diagnosis.h"

namespace imago::apps {

// Batches must have labels.
class ConditionalTraining final : public Training {
 public:
  // Fresh weights from the Context's generator. `labels`: of the images that it will be given.
  ConditionalTraining(const GanFlags& flags, const data::Labels& labels);

  models::ConditionalGan& gan() { return trainer_.gan(); }
  const Classes& classes() const { return classes_; }

  const char* program() const override { return "train_gan"; }
  std::int64_t steps_done() const override { return trainer_.steps_done(); }
  void step(const data::FacesBatch& batch) override;
  StepFigures figures() override;
  // samples/STEP.png: one row a class (of the first sixteen), the same noise in every row and at
  // every step. After a step as many samples as it had real images, of their classes, are held
  // against these.
  Json write_pictures() override;
  void judge(Json& row, Progress& progress) override;
  void see_again(const std::vector<Json>& rows) override;
  NamedTensors state() const override { return trainer_.state(); }
  Metadata metadata() const override;
  // Throws also when the run was trained on classes of other names; says on stderr when they have
  // other numbers of images now.
  void load(const SafetensorsFile& file) override;
  std::string chart(const std::vector<Json>& rows) const override;
  // Of what the averaged generator draws, each class as often as the others, where the flags ask
  // for scores.
  TrainingScores* scores() override { return scores_ ? &*scores_ : nullptr; }

 private:
  models::GanLoss loss() const;

  RunFolder folder_;
  Classes classes_;
  models::ConditionalGanTrainer trainer_;
  models::GanDiagnosis diagnosis_;
  Tensor fixed_noise_;  // (64, z)
  models::ConditionalGanStep last_;
  data::FacesBatch batch_;  // of the last step
  std::optional<TrainingScores> scores_;
};

}  // namespace imago::apps
