// One training step of a conditional GAN, and everything that has to be saved to go on as if never
// interrupted.
#pragma once

#include <optional>
#include <string>

#include "models/conditional_gan.h"
#include "nn/ema.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

namespace imago::models {

enum class ConditionalLoss {
  hinge,          // loss::hinge_d and hinge_g, as used with spectral norm
  nonsaturating,  // loss::gan_d and gan_g
};
const char* name_of(ConditionalLoss loss);
ConditionalLoss conditional_loss_named(const std::string& name);  // throws for another name

struct ConditionalGanTrainerOptions {
  ConditionalLoss loss = ConditionalLoss::hinge;
  double lr_g = 2e-4;
  double lr_d = 2e-4;
  double beta1 = 0;
  double beta2 = 0.9;
  // Of acgan: how much the classifier's cross-entropy counts beside the loss of real and fake.
  double class_weight = 1;
  // Of acgan: whether D's classifier learns from fakes too, as in the paper. It then takes what G
  // draws for a class as that class, so that both can agree on the wrong picture; from real images
  // alone it learns what classes really look like, and G must draw that.
  bool classify_fakes = false;
  // Decay of the averaged generator that draws the samples; 0: the generator itself draws them.
  double ema = 0;
  std::uint64_t seed = 1;
};

// What happened in a step, still on the device: item() waits for it.
struct ConditionalGanStep {
  Var loss_d, loss_g;            // whole, what the optimisers followed
  Var real_fake_d, real_fake_g;  // of these, what D and G lose at telling real from fake
  Var class_real, class_fake;    // acgan: cross-entropy of D on real images, of G's fakes in its
                                 // update; undefined with projection
  Var logits_real, logits_fake;  // (N, 1), as D saw them before its update
};

class ConditionalGanTrainer {
 public:
  ConditionalGanTrainer(ConditionalGan gan, const ConditionalGanTrainerOptions& options);

  // Step `steps_done() + 1` on real images (N, image, image, 3), f32 in [-1, 1], of the classes
  // labels (N), i64, on their device. The fakes are of the same classes, so that D meets each class
  // as often among them as among real images and cannot tell them by its label:
  //   1. D on real and on detached fakes, one update of D;
  //   2. D, frozen, on the same fakes, one update of G.
  // With acgan each adds class_weight times the cross-entropy of the classes.
  ConditionalGanStep step(const Tensor& real, const Tensor& labels);
  // The same with noise z (N, z) of the caller's; all other draws are those of step(real, labels).
  ConditionalGanStep step(const Tensor& real, const Tensor& labels, const Tensor& z);

  // Images (N, image, image, 3) of classes labels (N) for noise z (N, z), from the (averaged)
  // generator in evaluation mode.
  Tensor generate(const Tensor& z, const Tensor& labels);

  std::int64_t steps_done() const { return steps_done_; }
  ConditionalGan& gan() { return gan_; }
  const ConditionalGanTrainerOptions& options() const { return options_; }

  // Weights, statistics, optimiser state and position: equal states are equal bytes in a file.
  // Random numbers and batches are functions of (seed, step), so they need no more.
  NamedTensors state() const;
  Metadata metadata() const;
  // Takes over a state saved by state() of the same model and options but learning rates and betas;
  // strict.
  void load(const SafetensorsFile& file);

 private:
  void begin_step();
  ConditionalGanStep run_step(const Tensor& real, const Tensor& labels, const Tensor& z);
  Var adversarial_d(const Var& real, const Var& fake) const;
  Var adversarial_g(const Var& fake) const;

  ConditionalGan gan_;
  ConditionalGanTrainerOptions options_;
  optim::Adam opt_g_, opt_d_;
  std::optional<ConditionalGenerator> average_;  // with ema
  std::optional<nn::Ema> ema_;
  std::int64_t steps_done_ = 0;
};

// Whether a file is a checkpoint written from ConditionalGanTrainer::state().
bool is_conditional_gan(const SafetensorsFile& file);
// What it holds; throws when it is something else.
ConditionalGanSpec conditional_gan_spec_of(const SafetensorsFile& file);
// The trained networks in it; the generator is the averaged one where there is one.
ConditionalGan load_conditional_gan(const SafetensorsFile& file);

}  // namespace imago::models
