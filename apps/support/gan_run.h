// A GAN training run: its flags, its folder, and the parts it is made of.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "apps/support/run_folder.h"
#include "data/faces.h"
#include "models/gan_trainer.h"

namespace imago::apps {

struct GanRunOptions {
  std::string data = "procedural";  // a folder of images, or "procedural"
  std::string model = "dcgan64";
  int base = 64;
  std::string loss = "nonsaturating";
  std::int64_t steps = 2000;
  int batch = 64;
  double lr = 2e-4;
  double ema = 0.995;
  std::uint64_t seed = 1;
  std::string out = "runs/gan";
  std::int64_t sample_every = 200;
  std::int64_t checkpoint_every = 500;
  int threads = 0;  // 0: all cores
  std::string device = "auto";
  bool skip_broken = false;
};

void add_gan_run_flags(CLI::App& app, GanRunOptions& options);

// For --resume: flags that were not given are taken from OUT/config.json. Throws UsageError when
// one that was given contradicts it where a run cannot change
// (model, base, loss, data, batch, seed).
void take_saved_flags(const CLI::App& app, GanRunOptions& options);

class GanRun {
 public:
  // Fresh, or with `resume` from the folder's checkpoint. Fresh in a folder with anything in it is
  // an error: nothing is overwritten by accident. No file is written before begin().
  GanRun(const GanRunOptions& options, bool resume);

  // Writes config.json and makes metrics.jsonl end at the step the run starts after.
  void begin();

  models::GanTrainer& trainer() { return trainer_; }
  data::Faces& data() { return data_; }
  RunFolder& folder() { return folder_; }
  std::int64_t saved_step() const { return saved_step_; }  // of the checkpoint on disk; -1: none

  // samples/STEP.png: one grid of the same noise at every step.
  void write_sample();
  // checkpoint.safetensors and loss.svg. Throws, and leaves both as they are, when a weight is not
  // finite.
  void save();

 private:
  GanRunOptions options_;
  models::GanTrainer trainer_;
  data::Faces data_;
  RunFolder folder_;
  Tensor fixed_noise_;  // (64, z)
  std::int64_t saved_step_ = -1;
};

}  // namespace imago::apps
