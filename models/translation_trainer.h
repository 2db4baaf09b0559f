// One training step of an image-to-image network, and everything that has to be saved to go on as
// if never interrupted.
#pragma once

#include <optional>

#include "models/degradation.h"
#include "models/gan_objective.h"
#include "models/translation.h"
#include "nn/ema.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

namespace imago::models {

struct TranslationTrainerOptions {
  // What the translator minimises is l1 * |difference| + l2 * difference^2 + adversarial * (the
  // loss of `loss` at the global discriminator + that at the local one). Differences are means over
  // pixels and channels in [-1, 1], for inpaint over the missing pixels alone. At least one weight
  // is positive. With adversarial = 0 there are no discriminators: l2 = 1 alone is regression by
  // least squares with the same code, which the others are held against.
  double l1 = 10;
  double l2 = 0;
  double adversarial = 1;
  GanLoss loss = GanLoss::hinge;  // any; the spectral norm of the discriminators bounds their slope
  double lr = 5e-4;
  std::optional<double> lr_d = {};  // of the discriminators, instead
  double beta1 = 0.5;
  double beta2 = 0.999;
  // Decay of the averaged translator that makes the pictures; 0: the translator itself makes them.
  double ema = 0;
  std::uint64_t seed = 1;
};

// What happened in a step, still on the device: item() waits for it. Scalars ().
struct TranslationStep {
  Var loss;    // what the translator minimised
  Var l1, l2;  // its differences before its update, without their weights
  // Only with discriminators: their losses, global and local; and the translator's, without its
  // weight, the sum of both.
  Var loss_d_global, loss_d_local, loss_g;
  Var logits_real, logits_fake;  // (N, 1), of the global one before its update
};

class TranslationTrainer {
 public:
  // Throws for weights, rates or a decay out of range.
  TranslationTrainer(TranslationGan gan, const TranslationTrainerOptions& options);

  // Step `steps_done() + 1` on good images as degraded() takes them (models/degradation.h), in the
  // dtype of the model, with the degradation of that step:
  //   1. the discriminators on the truth and on detached results, one update of both;
  //   2. the translator on its differences from the truth and on the discriminators, frozen.
  TranslationStep step(const Tensor& images);
  // The same on work and answers of the caller's.
  TranslationStep step(const TranslationBatch& batch);

  // Results (N, S, S, output channels) for input (N, S, S, input channels), from the (averaged)
  // translator in evaluation mode, without gradients.
  Tensor translate(const Tensor& input);

  bool adversarial() const { return options_.adversarial > 0; }
  std::int64_t steps_done() const { return steps_done_; }
  TranslationGan& gan() { return gan_; }
  const TranslationTrainerOptions& options() const { return options_; }

  // Weights, statistics, optimiser state and position: equal states are equal bytes in a file.
  // Random numbers and batches are functions of (seed, step), so they need no more. Without
  // discriminators there are none in it.
  NamedTensors state() const;
  Metadata metadata() const;
  // Takes over a state saved by state() of the same model and options but learning rates and betas;
  // strict.
  void load(const SafetensorsFile& file);

 private:
  void begin_step();
  TranslationStep run_step(const TranslationBatch& batch);
  void update_d(const TranslationBatch& batch, const Var& result, TranslationStep& step);
  Var pixel_mean(const Var& x, const TranslationBatch& batch) const;

  TranslationGan gan_;
  TranslationTrainerOptions options_;
  optim::Adam opt_g_;
  std::optional<optim::Adam> opt_d_;   // with discriminators
  std::optional<Translator> average_;  // with ema
  std::optional<nn::Ema> ema_;
  std::int64_t steps_done_ = 0;
};

// Whether a file is a checkpoint written from TranslationTrainer::state().
bool is_translation_checkpoint(const SafetensorsFile& file);
// What it holds; throws when it is something else.
TranslationSpec translation_spec_of(const SafetensorsFile& file);
// The trained translator in it, the averaged one where there is one.
Translator load_translator(const SafetensorsFile& file);

}  // namespace imago::models
