// Training a GAN: its pictures, figures and warnings.
#pragma once

#include <optional>

#include "apps/support/gan_flags.h"
#include "apps/support/train_loop.h"
#include "apps/support/training_scores.h"
#include "models/gan_diagnosis.h"
#include "models/gan_trainer.h"

namespace imago::apps {

class GanTraining final : public Training {
 public:
  // Fresh weights from the Context's generator. Throws UsageError where the networks do not go with
  // the other flags.
  explicit GanTraining(const GanFlags& flags);

  models::Gan& gan() { return trainer_.gan(); }

  const char* program() const override { return "train_gan"; }
  std::int64_t steps_done() const override { return trainer_.steps_done(); }
  void step(const data::FacesBatch& batch) override;
  StepFigures figures() override;
  // samples/STEP.png: one grid of the same noise at every step. After a step they are held against
  // its real images.
  Json write_pictures() override;
  void judge(Json& row, Progress& progress) override;
  void see_again(const std::vector<Json>& rows) override;
  NamedTensors state() const override { return trainer_.state(); }
  Metadata metadata() const override { return trainer_.metadata(); }
  void load(const SafetensorsFile& file) override { trainer_.load(file); }
  std::string chart(const std::vector<Json>& rows) const override;
  // Of what the averaged generator draws, where the flags ask for scores, which are to be settled.
  TrainingScores* scores() override { return scores_ ? &*scores_ : nullptr; }

 private:
  RunFolder folder_;
  models::GanTrainer trainer_;
  models::GanDiagnosis diagnosis_;
  Tensor fixed_noise_;  // (64, z)
  models::GanStep last_;
  Tensor real_;                  // of the last step, (d_steps N, S, S, 3)
  Var penalty_, gradient_norm_;  // of the last step that took one
  std::optional<TrainingScores> scores_;
};

}  // namespace imago::apps
