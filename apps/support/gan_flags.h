// The flags of a GAN training run, as given, saved and taken up again.
#pragma once

#include <optional>
#include <string>

#include "apps/support/run_folder.h"
#include "models/gan_trainer.h"

// So that not everything that has a run parses CLI11.
namespace CLI {
class App;
}  // namespace CLI

namespace imago::apps {

struct GanRunOptions {
  std::string data = "procedural";  // a folder of images, or "procedural"
  std::string model = "dcgan64";
  int base = 64;
  std::string loss = "nonsaturating";
  std::int64_t steps = 2000;
  int batch = 64;
  double lr = 2e-4;
  std::optional<double> lr_g = {}, lr_d = {};  // none: lr
  double ema = 0.995;
  std::uint64_t seed = 1;
  std::string out = "runs/gan";
  std::int64_t sample_every = 200;
  std::int64_t checkpoint_every = 500;
  int threads = 0;  // 0: all cores
  std::string device = "auto";
  bool skip_broken = false;

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

void add_gan_run_flags(CLI::App& app, GanRunOptions& options);

// For --resume: flags that were not given are taken from OUT/config.json; those that it does not
// know, because it is older than they are, have their defaults. Throws UsageError when one that was
// given contradicts it where a run cannot change: all but steps, rates, intervals, threads, device
// and skip-broken.
void take_saved_flags(const CLI::App& app, GanRunOptions& options);

// After parsing and take_saved_flags: what depends on other flags gets its value, so that it is
// saved and stays. Throws UsageError where flags do not go together.
void settle_flags(GanRunOptions& options);

// What config.json holds.
Json to_json(const GanRunOptions& options);

// Throws Error for a name that does not exist.
models::GanTrainerOptions trainer_options(const GanRunOptions& options);

}  // namespace imago::apps
