// The run of any model from its first step to its last: progress, rows of metrics, pictures,
// checkpoints, Ctrl-C, and going on where it stopped.
#pragma once

#include <string>
#include <vector>

#include "apps/support/inspection.h"
#include "apps/support/progress.h"
#include "apps/support/svg_chart.h"
#include "apps/support/train_flags.h"
#include "data/faces.h"
#include "nn/safetensors.h"

namespace imago::apps {

class TrainingScores;  // apps/support/training_scores.h

// The figures of a step.
struct StepFigures {
  std::string text;  // for the line of progress
  // Of metrics.jsonl. "step" and "images_per_s" get their values from the loop, where they stand.
  Json row;
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
  // One step on batch.real (N, S, S, 3) and, where the data are labelled, batch.labels (N); its
  // results may stay on the device.
  virtual void step(const data::FacesBatch& batch) = 0;
  // Those of the last step; waits for them.
  virtual StepFigures figures() = 0;
  // Writes the pictures of now. Returns what was measured for them, to go into the step's row of
  // metrics (an empty object: nothing).
  virtual Json write_pictures() = 0;
  // Each row before it is written, with what the pictures of its step told: what has gone wrong is
  // added to it and said, after progress.finish().
  virtual void judge(Json& row, Progress& progress) = 0;
  // The rows of a run that goes on, before its first step.
  virtual void see_again(const std::vector<Json>& rows) = 0;
  // All that goes into checkpoint.safetensors.
  virtual NamedTensors state() const = 0;
  virtual Metadata metadata() const = 0;
  virtual void load(const SafetensorsFile& file) = 0;
  virtual std::string chart(const std::vector<Json>& rows) const = 0;  // an SVG
  // What scores the images that it draws; null: nothing does.
  virtual TrainingScores* scores() { return nullptr; }
};

// A training in its folder.
class TrainingRun {
 public:
  TrainingRun(Training& training, const TrainFlags& flags, const data::Faces& data)
      : training_(training), flags_(flags), data_(data), folder_(flags.out) {}

  // With flags.resume takes the folder's checkpoint over: throws where there is none or its batch
  // is another one, and warns when the number of images has changed. Else throws when there is
  // anything in the folder: nothing is overwritten by accident. Writes nothing.
  void open();
  // From the first pictures to the last checkpoint, saying what was done. `config` goes into
  // config.json; `command` is how the program was called. Returns its exit code.
  int run(const Json& config, const InspectionOptions& look, const std::string& command);

 private:
  class Reporter;

  // Writes config.json and makes metrics.jsonl end at the step the run starts after.
  void begin(const Json& config);
  // Runs the steps up to flags.steps; returns false when it was interrupted. Whatever is thrown,
  // the finished steps are saved first.
  bool train(const InspectionOptions& look);
  // checkpoint.safetensors and loss.svg, unless the checkpoint is of this step. Throws, and leaves
  // both as they are, when a value is not finite.
  void save();
  // The same, then best.safetensors of the same bytes: the checkpoint is never of an earlier step
  // than the best one, so a run that goes on has the rows and the best of all it goes on from.
  void save_best();
  Metadata metadata() const;
  // Of a run with scores, before its first step: what there is to take over, and the score of the
  // untrained model.
  void begin_scores(TrainingScores& scores);

  Training& training_;
  const TrainFlags& flags_;
  const data::Faces& data_;
  RunFolder folder_;
  std::int64_t saved_step_ = -1;  // of the checkpoint on disk; -1: none
};

inline constexpr int sample_grid = 8;  // samples are grids of 8 x 8
// The noise of every such grid of a run, (64, length): no step of training draws it. Other rows and
// draws of the same kind are for other purposes.
Tensor fixed_noise(std::uint64_t seed, std::int64_t length,
                   std::int64_t rows = sample_grid * sample_grid, std::uint32_t draw = 0);

// The values of one key over the steps, for a chart. Rows without it are left out: not every step
// has every figure. A value that is no number (a loss that was not finite) breaks the line.
Series series(const std::vector<Json>& rows, const char* name, const char* key);

}  // namespace imago::apps
