// Training an image-to-image network: its flags, its pictures and figures.
#pragma once

#include <optional>
#include <string>

#include "apps/support/train_loop.h"
#include "apps/support/translation_data.h"
#include "models/translation_trainer.h"

namespace imago::apps {

struct TranslationFlags {
  TrainFlags train = {.batch = 32, .lr = 5e-4, .out = "runs/translation"};
  std::string task = models::name_of(models::TranslationTask::inpaint);
  models::TranslationSpec spec;
  double l1 = 10, l2 = 0, adversarial = 1;
  std::string loss = models::name_of(models::GanLoss::hinge);
  double lr_d = 0;  // of the discriminators; 0: as the translator
  double ema = 0.99;
};

void add_translation_flags(Flags& flags, TranslationFlags& values);
// For --resume: flags that were not given are taken from OUT/config.json.
void take_saved_flags(const Flags& flags, TranslationFlags& values);
Json to_json(const TranslationFlags& flags);
// After take_saved_flags. The task's name goes into the spec. Throws UsageError where the flags do
// not go together, or one was given that has nothing to say.
void settle(const Flags& flags, TranslationFlags& values);

class TranslationTraining final : public Training {
 public:
  // Fresh weights from the Context's generator; held_out is what pictures and figures are of.
  TranslationTraining(const TranslationFlags& flags, const data::Dataset& held_out);

  models::TranslationGan& gan() { return trainer_.gan(); }
  // "On 64 images ...: PSNR 20.1 dB, SSIM 0.812", of the last pictures; "" before the first.
  std::string quality() const;

  const char* program() const override { return "train_translation"; }
  std::int64_t steps_done() const override { return trainer_.steps_done(); }
  void step(const data::FacesBatch& batch) override;
  StepFigures figures() override;
  // samples/STEP.png: of each held-out image its input, the result and the truth.
  Json write_pictures() override;
  void judge(Json&, Progress&) override {}
  void see_again(const std::vector<Json>&) override {}
  NamedTensors state() const override { return trainer_.state(); }
  Metadata metadata() const override { return trainer_.metadata(); }
  void load(const SafetensorsFile& file) override { trainer_.load(file); }
  std::string chart(const std::vector<Json>& rows) const override;

 private:
  TranslationFlags flags_;
  RunFolder folder_;
  models::TranslationTrainer trainer_;
  models::TranslationStep last_;
  models::TranslationBatch held_out_;  // always degraded in the same way, whatever the run's seed
  std::string of_what_;
  std::optional<double> psnr_, ssim_;
};

}  // namespace imago::apps
