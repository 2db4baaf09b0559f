// One training step of a GAN, and everything that has to be saved to go on as if never interrupted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/gan.h"
#include "models/gan_options.h"
#include "nn/ema.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

namespace imago::models {

// What happened in a step, still on the device: item() waits for it. Of D's updates the last one.
struct GanStep {
  // D's loss on real and fake, without a penalty, so that balance_of holds for it.
  Var loss_d;
  Var loss_g;
  Var logits_real, logits_fake;  // (N, 1), as D saw them before its update
  // Where a penalty was taken: its value without its factor, and the mean over images of the norm
  // of D's gradient there, both (). Else undefined.
  Var penalty, gradient_norm;
  double noise = 0;  // standard deviation of the instance noise
};

class GanTrainer {
 public:
  GanTrainer(Gan gan, const GanTrainerOptions& options);

  // Step `steps_done() + 1` on real images (d_steps N, image, image, 3), f32 in [-1, 1]:
  //   1. d_steps times, each on the next N of them: D on real, D on detached fakes of noise of
  //      their own, one update of D;
  //   2. D, frozen, on the fakes of the last of these, one update of G.
  // The fakes are detached in 1 because D's loss must not move G; D is frozen in 2 because G's loss
  // must not move D, and computing D's weight gradients there would be wasted. What D sees is
  // augmented and noisy where the options say so, in 1 and 2 alike.
  GanStep step(const Tensor& real);
  // The same with noise z (d_steps N, z) of the caller's; all other draws are those of step(real).
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
  void begin_step();
  std::int64_t batch_of(const Tensor& real) const;
  GanStep run_step(const Tensor& real, const std::vector<Tensor>& z);
  Var update_d(const Tensor& real, const Tensor& z, int turn, GanStep& result);
  Var penalty(const Tensor& real, const Tensor& fake, int turn, GanStep& result);
  void update_g(const Var& fake, GanStep& result);
  bool penalty_due(int turn) const;
  double noise_now() const;
  void set_noise(double deviation, const Tensor& like);
  Var seen(const Var& images, int turn, bool real, double deviation);

  Gan gan_;
  GanTrainerOptions options_;
  optim::Adam opt_g_, opt_d_;
  nn::Sequential average_;  // empty without ema
  std::optional<nn::Ema> ema_;
  Tensor noise_;  // (1), the deviation of the instance noise, where the kernels read it
  std::int64_t steps_done_ = 0;
};

// What a checkpoint written from GanTrainer::state() holds; throws when it is something else.
GanSpec gan_spec_of(const SafetensorsFile& file);
// The trained networks in it; the generator is the averaged one where there is one.
Gan load_gan(const SafetensorsFile& file);

}  // namespace imago::models
