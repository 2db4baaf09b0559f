// A GAN training run: its folder, and the parts it is made of.
#pragma once

#include <cstdint>

#include "apps/support/gan_flags.h"
#include "apps/support/run_folder.h"
#include "data/faces.h"
#include "models/gan_trainer.h"

namespace imago::apps {

class GanRun {
 public:
  // Fresh, or with `resume` from the folder's checkpoint. Fresh in a folder with anything in it is
  // an error: nothing is overwritten by accident. No file is written before begin(). Throws
  // UsageError where the networks do not go with the other flags.
  GanRun(const GanRunOptions& options, bool resume);

  // Writes config.json and makes metrics.jsonl end at the step the run starts after.
  void begin();

  models::GanTrainer& trainer() { return trainer_; }
  data::Faces& data() { return data_; }
  RunFolder& folder() { return folder_; }
  std::int64_t saved_step() const { return saved_step_; }  // of the checkpoint on disk; -1: none

  // samples/STEP.png: one grid of the same noise at every step. Returns the images, (64, S, S, 3)
  // in [-1, 1].
  Tensor write_sample();
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
