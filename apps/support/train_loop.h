// The loop around the steps of any model: progress, rows of metrics, pictures, checkpoints, Ctrl-C.
#pragma once

#include <string>
#include <vector>

#include "apps/support/inspection.h"
#include "apps/support/svg_chart.h"
#include "apps/support/train_flags.h"
#include "data/faces.h"
#include "nn/safetensors.h"

namespace imago::apps {

// The figures of a step.
struct StepFigures {
  std::string text;     // for the line of progress
  Json row;             // of metrics.jsonl, without "step" and "images_per_s"
  bool finite = false;  // none of the losses is NaN or infinite
};

// What a program trains.
class Training {
 public:
  Training() = default;
  virtual ~Training() = default;
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  virtual const char* program() const = 0;  // for errors
  virtual std::int64_t steps_done() const = 0;
  // One step on real (N, S, S, 3); its results may stay on the device.
  virtual void step(const Tensor& real) = 0;
  // Those of the last step; waits for them.
  virtual StepFigures figures() = 0;
  // Writes the pictures of now. Returns what was measured for them, to go into the step's row of
  // metrics (an empty object: nothing).
  virtual Json write_pictures() = 0;
  // All that goes into checkpoint.safetensors.
  virtual NamedTensors state() const = 0;
  virtual Metadata metadata() const = 0;
  virtual std::string chart(const std::vector<Json>& rows) const = 0;  // an SVG
};

// A training in its folder.
class TrainingRun {
 public:
  TrainingRun(Training& training, const TrainFlags& flags, const data::Faces& data)
      : training_(training), flags_(flags), data_(data), folder_(flags.out) {}

  // Throws unless a fresh run may write there: nothing is overwritten by accident.
  void require_unused() const;
  // The checkpoint to go on from; throws where there is none.
  SafetensorsFile read_checkpoint() const;
  // Once the training has taken it over: throws where its batch is another one, warns when the
  // number of images has changed.
  void check_loaded(const SafetensorsFile& file);

  // Writes config.json and makes metrics.jsonl end at the step the run starts after.
  void begin(const Json& config);
  // Runs the steps up to flags.steps; returns false when it was interrupted. Whatever is thrown,
  // the finished steps are saved first.
  bool train(const InspectionOptions& look);

  RunFolder& folder() { return folder_; }

 private:
  class Reporter;

  // checkpoint.safetensors and loss.svg. Throws, and leaves both as they are, when a value is not
  // finite.
  void save();

  Training& training_;
  const TrainFlags& flags_;
  const data::Faces& data_;
  RunFolder folder_;
  std::int64_t saved_step_ = -1;  // of the checkpoint on disk; -1: none
};

// The values of one key over the steps, for a chart; rows without it are left out.
Series series(const std::vector<Json>& rows, const char* name, const char* key);

}  // namespace imago::apps
