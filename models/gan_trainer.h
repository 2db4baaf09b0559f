// One training step of a GAN, and everything that has to be saved to go on as if never interrupted.
#pragma once

#include <optional>
#include <string>

#include "models/gan.h"
#include "nn/ema.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

namespace imago::models {

enum class GanLoss {
  nonsaturating,  // G minimises -log D(G(z))
  minimax,        // G minimises log(1 - D(G(z))), as the value function V(D, G) has it
};

const char* name_of(GanLoss loss);

struct GanTrainerOptions {
  GanLoss loss = GanLoss::nonsaturating;
  double lr = 2e-4;
  double beta1 = 0.5;
  double beta2 = 0.999;
  // Decay of the averaged generator that draws the samples; 0: the generator itself draws them.
  double ema = 0;
  std::uint64_t seed = 1;
};

// What happened in a step, still on the device: item() waits for it.
struct GanStep {
  Var loss_d;  // BCE of D on real and fake, summed; 2 log 2 where D cannot tell them apart
  Var loss_g;
  Var logits_real, logits_fake;  // (N, 1), as D saw them before its update
};

// The mean of sigmoid(logits): D(x) or D(G(z)) as the figures show it.
double mean_probability(const Var& logits);

class GanTrainer {
 public:
  GanTrainer(Gan gan, const GanTrainerOptions& options);

  // Step `steps_done() + 1` on real images (N, image, image, 3), f32 in [-1, 1]:
  //   1. D on real, D on detached fakes, one update of D;
  //   2. D, frozen, on the same fakes, one update of G.
  // The fakes are detached in 1 because D's loss must not move G; D is frozen in 2 because G's loss
  // must not move D, and computing D's weight gradients there would be wasted.
  GanStep step(const Tensor& real);
  // The same with noise z (N, z) of the caller's; all other draws are those of step(real).
  GanStep step(const Tensor& real, const Tensor& z);

  // Images (N, image, image, 3) for noise z (N, z), from the (averaged) generator in evaluation
  // mode.
  Tensor generate(const Tensor& z);

  std::int64_t steps_done() const { return steps_done_; }
  Gan& gan() { return gan_; }
  const GanTrainerOptions& options() const { return options_; }

  // Weights, statistics, optimiser state and position: equal states are equal bytes in a file.
  // Random numbers and batches are functions of (seed, step), so they need no more.
  NamedTensors state() const;
  Metadata metadata() const;
  // Takes over a state saved by state() of the same model; strict.
  void load(const SafetensorsFile& file);

 private:
  // Random numbers of the step to come; draw 0 is the noise.
  void begin_step();
  GanStep run_step(const Tensor& real, const Tensor& z);

  Gan gan_;
  GanTrainerOptions options_;
  optim::Adam opt_g_, opt_d_;
  nn::Sequential average_;  // empty without ema
  std::optional<nn::Ema> ema_;
  std::int64_t steps_done_ = 0;
};

// What a checkpoint written from GanTrainer::state() holds; throws when it is something else.
GanSpec gan_spec_of(const SafetensorsFile& file);
// The trained networks in it; the generator is the averaged one where there is one.
Gan load_gan(const SafetensorsFile& file);

}  // namespace imago::models
