// Training a VAE: its flags, its pictures and figures.
#pragma once

#include <memory>
#include <string>

#include "apps/support/train_loop.h"
#include "apps/support/training_scores.h"
#include "apps/support/vae_pictures.h"
#include "models/gan_diagnosis.h"
#include "models/vae_evaluation.h"
#include "models/vae_gan_trainer.h"

namespace imago::apps {

struct VaeFlags {
  TrainFlags train = {.out = "runs/vae"};
  ScoreFlags score = {};
  models::VaeOptions model;
  std::string likelihood = models::name_of(models::Likelihood::gaussian_learned);
  double beta = 1;
  std::int64_t kl_warmup = 1000;
  double free_bits = 0;
  double adversarial = 0;  // above 0: a VAE-GAN, and the weight of the GAN's loss
  int feature_layer = 0;   // of a VAE-GAN
  int iwae = 64;           // samples; 0: the bound is not computed
  std::string interpolation = "linear";
};

void add_vae_flags(Flags& flags, VaeFlags& values);
// For --resume: flags that were not given are taken from OUT/config.json.
void take_saved_flags(const Flags& flags, VaeFlags& values);
Json to_json(const VaeFlags& flags);

// After take_saved_flags. The likelihood's name goes into the model's options, and a VAE-GAN gets
// no bounds, which are of pixels. Throws UsageError for an image size that the model does not have
// and for flags that do not go together.
void settle(const Flags& flags, VaeFlags& values);

// With flags.adversarial above 0.
models::VaeGanOptions gan_options(const VaeFlags& flags);

class VaeTraining final : public Training {
 public:
  // Fresh weights from the Context's generator. Loads the images that it measures and draws
  // itself with.
  explicit VaeTraining(const VaeFlags& flags);

  models::Vae& vae() { return trainer_.vae(); }
  // Of a VAE-GAN; else null.
  models::VaeGanDiscriminator* discriminator();

  const char* program() const override { return "train_vae"; }
  std::int64_t steps_done() const override { return trainer_.steps_done(); }
  void step(const data::FacesBatch& batch) override { last_ = trainer_.step(batch.real); }
  StepFigures figures() override;
  // samples/STEP.png, and beside it STEP-reconstructions.png, STEP-interpolation.png and
  // STEP-traversals.png.
  Json write_pictures() override;
  // Says on stderr when the posterior has collapsed, and when a discriminator has won.
  void judge(Json& row, Progress& progress) override;
  void see_again(const std::vector<Json>& rows) override;
  NamedTensors state() const override { return trainer_.state(); }
  Metadata metadata() const override { return trainer_.metadata(); }
  void load(const SafetensorsFile& file) override { trainer_.load(file); }
  std::string chart(const std::vector<Json>& rows) const override;
  // Of samples from the prior, where the flags ask for scores, which are to be settled.
  TrainingScores* scores() override { return scores_ ? &*scores_ : nullptr; }

 private:
  bool has_discriminator() const { return flags_.adversarial > 0; }
  void write(const char* what, const Sheet& sheet) const;
  // True once, at the row where it has become clear that D has won.
  bool discriminator_wins(const Json& row);

  VaeFlags flags_;
  RunFolder folder_;
  std::unique_ptr<models::VaeTrainer> own_trainer_;  // of a VAE or of a VAE-GAN
  models::VaeTrainer& trainer_ = *own_trainer_;
  models::VaeStep last_;
  models::GanDiagnosis of_discriminator_{models::GanLoss::nonsaturating, 1};
  Tensor probe_;           // (up to 64, S, S, 3): always the same images
  Tensor fixed_noise_;     // (64, latent)
  std::string diagnosis_;  // of the last pictures; empty: nothing is wrong
  bool told_ = false;      // that the posterior has collapsed
  std::optional<TrainingScores> scores_;
};

}  // namespace imago::apps
