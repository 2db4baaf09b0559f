// How a GAN is trained: the options, what is wrong with them, and how a checkpoint remembers them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/diff_augment.h"
#include "models/gan.h"
#include "models/gan_objective.h"
#include "nn/safetensors.h"

namespace imago::models {

struct GanTrainerOptions {
  GanLoss loss = GanLoss::nonsaturating;
  double lr = 2e-4;  // of both networks
  // Of one of them, instead (two time-scales, Heusel et al. 2017, arXiv 1706.08500).
  std::optional<double> lr_g = {}, lr_d = {};
  double beta1 = 0.5;
  double beta2 = 0.999;
  // Decay of the averaged generator that draws the samples; 0: the generator itself draws them.
  double ema = 0;
  std::uint64_t seed = 1;

  // Added to D's loss at every penalty_every-th of its updates, the first included; penalty_factor
  // (models/gan_objective.h) has the weight.
  GanPenalty penalty = GanPenalty::none;
  double penalty_weight = 10;
  std::int64_t penalty_every = 1;
  // After each of its updates D's parameters are cut to [-clip_weights, clip_weights]; 0: never.
  double clip_weights = 0;
  int d_steps = 1;  // updates of D before each one of G, each with images and noise of its own
  // What D is to say of real images, where the loss has a target; below 1: one-sided smoothing.
  double real_target = 1;
  // Standard deviation of the normal noise on all that D sees (Sønderby et al. 2017, arXiv
  // 1610.04490): at step t = 1, 2, ... it is instance_noise * max(0, 1 - (t - 1) / noise_steps).
  double instance_noise = 0;
  std::int64_t noise_steps = 0;  // positive where there is noise
  // On all that D sees, real and fake, before the noise.
  DiffAugmentOptions augment = {.colour = false, .translation = false, .cutout = false};
};

inline constexpr int most_d_steps = 1000;  // each has places for its random numbers

// Throws, naming the option and the way out, where an option is out of range or two do not go
// together.
void check_gan_options(const GanTrainerOptions& options);
// The same, and where options do not go with D: a penalty with batch norm; clip_weights with
// spectral norm, which undoes it; the wasserstein loss with nothing that bounds D's slope, be it
// gp, clip_weights or spectral norm in every layer.
void check_gan_options(const GanTrainerOptions& options, const Gan& gan);

// Options that a run keeps from its start to its end, besides model, loss, ema and seed, by the
// names of train_gan's flags: those that are not at their default, so that checkpoints from before
// there was a choice are those of runs with the defaults. They fix the bits of a run together with
// the rates and the batch, which are not among them: rates may change within a run, and the batch
// is not the trainer's to choose.
Metadata chosen_options(const GanTrainerOptions& options);
// Throws, naming option, file and both values, unless the file has the same chosen options.
void check_same_options(const GanTrainerOptions& options, const SafetensorsFile& file);

}  // namespace imago::models
