// The flags of a GAN training run, as given, saved and taken up again.
#pragma once

#include <optional>
#include <string>

#include "apps/support/train_flags.h"
#include "models/gan_trainer.h"

// So that not everything that has a run parses CLI11.
namespace CLI {
class App;
}  // namespace CLI

namespace imago::apps {

struct GanFlags {
  TrainFlags train = {.lr = 2e-4, .out = "runs/gan"};
  std::string model = "dcgan64";
  int base = 64;
  std::string loss = "nonsaturating";
  std::optional<double> lr_g = {}, lr_d = {};  // none: lr
  double ema = 0.995;

  std::string penalty = "none";
  double penalty_weight = 10;
  std::int64_t penalty_every = 1;
  double clip_weights = 0;
  int d_steps = 1;
  double beta1 = 0.5, beta2 = 0.999;
  double smooth = 1;
  double instance_noise = 0;
  std::int64_t instance_noise_steps = 0;  // 0: as many as the run was first asked for
  std::string augment = "none";
};

void add_gan_flags(CLI::App& app, GanFlags& flags);

// For --resume: flags that were not given are taken from OUT/config.json; those that it does not
// know, because it is older than they are, have their defaults. Throws UsageError when one that was
// given contradicts it where a run cannot change: all but steps, rates, intervals, threads, device
// and skip-broken.
void take_saved_flags(const CLI::App& app, GanFlags& flags);

// After parsing and take_saved_flags: what depends on other flags gets its value, so that it is
// saved and stays. Throws UsageError where flags do not go together.
void settle(GanFlags& flags);

// What config.json holds.
Json to_json(const GanFlags& flags);

// Throws Error for a name that does not exist.
models::GanTrainerOptions trainer_options(const GanFlags& flags);

}  // namespace imago::apps
