// Training a VAE: its flags, its pictures and figures.
#pragma once

#include <string>

#include "apps/support/train_loop.h"
#include "apps/support/vae_pictures.h"
#include "models/vae_evaluation.h"
#include "models/vae_trainer.h"

// So that not everything that has a run parses CLI11.
namespace CLI {
class App;
}  // namespace CLI

namespace imago::apps {

struct VaeFlags {
  TrainFlags train = {.out = "runs/vae"};
  models::VaeOptions model;
  std::string likelihood = models::name_of(models::Likelihood::gaussian_learned);
  double beta = 1;
  std::int64_t kl_warmup = 1000;
  double free_bits = 0;
  int iwae = 64;  // samples; 0: the bound is not computed
  std::string interpolation = "linear";
};

void add_vae_flags(CLI::App& app, VaeFlags& flags);
// For --resume: flags that were not given are taken from OUT/config.json.
void take_saved_flags(const CLI::App& app, VaeFlags& flags);
Json to_json(const VaeFlags& flags);

// After take_saved_flags. The likelihood's name goes into the model's options. Throws UsageError
// for an image size that the model does not have.
void settle(VaeFlags& flags);

class VaeTraining final : public Training {
 public:
  // Fresh weights from the Context's generator. Loads the images that it measures and draws
  // itself with.
  explicit VaeTraining(const VaeFlags& flags);

  models::Vae& vae() { return trainer_.vae(); }

  const char* program() const override { return "train_vae"; }
  std::int64_t steps_done() const override { return trainer_.steps_done(); }
  void step(const data::FacesBatch& batch) override { last_ = trainer_.step(batch.real); }
  StepFigures figures() override;
  // samples/STEP.png, and beside it STEP-reconstructions.png, STEP-interpolation.png and
  // STEP-traversals.png.
  Json write_pictures() override;
  // Says on stderr when the posterior has collapsed.
  void judge(Json& row, Progress& progress) override;
  void see_again(const std::vector<Json>&) override {}
  NamedTensors state() const override { return trainer_.state(); }
  Metadata metadata() const override { return trainer_.metadata(); }
  void load(const SafetensorsFile& file) override { trainer_.load(file); }
  std::string chart(const std::vector<Json>& rows) const override;

 private:
  void write(const char* what, const Sheet& sheet) const;

  VaeFlags flags_;
  RunFolder folder_;
  models::VaeTrainer trainer_;
  models::VaeStep last_;
  Tensor probe_;           // (up to 64, S, S, 3): always the same images
  Tensor fixed_noise_;     // (64, latent)
  std::string diagnosis_;  // of the last pictures; empty: nothing is wrong
  bool told_ = false;      // that the posterior has collapsed
};

}  // namespace imago::apps
