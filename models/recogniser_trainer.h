// One training step of a recogniser, and everything that has to be saved to go on as if never
// interrupted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "models/recogniser.h"
#include "nn/ema.h"
#include "nn/optim.h"
#include "nn/safetensors.h"
#include "nn/schedule.h"

namespace imago::models {

struct RecogniserTrainerOptions {
  std::int64_t steps = 2000;  // of the schedule: warm-up over the first 5%, then a cosine to 1%
  std::string optimizer = "adamw";  // or "sgd", with momentum 0.9
  double lr = 1e-3;
  // Of weights of two or more axes; not of biases, norms and PReLU. Of sgd it is L2, so that less
  // (5e-4) is usual.
  double weight_decay = 5e-2;
  double label_smoothing = 0;  // but for binary and triplet
  double scale = 30;           // cosface, arcface
  double margin = 0.35;        // cosface, arcface, triplet
  double ema = 0.999;          // decay of the averaged weights, which are what is used; 0: none
  std::uint64_t seed = 1;      // of dropout
};
// The margin that each head's paper takes: cosface 0.35, arcface 0.5, triplet 0.2; 0 of others.
double default_margin(RecognitionHead head);
void check_recogniser_training(const RecogniserTrainerOptions& options);

// What happened in a step, still on the device.
struct RecogniserStep {
  Var loss;      // ()
  Var accuracy;  // (): the share of the batch whose answer (without margin) is right; undefined for
                 // triplet
};

class RecogniserTrainer {
 public:
  // Of a recogniser on its device, which takes over the options' scale.
  RecogniserTrainer(Recogniser network, const RecogniserTrainerOptions& options);

  // Step `steps_done() + 1`, one update on images (N, image, image, 3), f32 in [-1, 1], on the
  // network's device, with labels i64 (N), positions in the recogniser's classes, on any device;
  // others throw where they are on the CPU. Beyond options.steps the rate stays where the schedule
  // ends.
  RecogniserStep step(const Tensor& images, const Tensor& labels);
  std::int64_t steps_done() const { return steps_done_; }

  // The network to use: the average where there is one. Not to be trained. copy_of() it for a
  // RecogniserEncoder.
  Recogniser& network() { return average_ ? *average_ : network_; }
  const RecogniserTrainerOptions& options() const { return options_; }

  // Takes the body's weights of another recogniser whose body is alike, before the first step.
  // Throws, saying in what they differ, when it is not.
  void start_from(const Recogniser& other);

  // Weights, statistics, optimiser state and position: equal states are equal bytes in a file.
  // Random numbers are functions of (seed, step), so they need no more.
  NamedTensors state() const;
  Metadata metadata() const;
  // Takes over a state saved by state() of the same recogniser and options; strict.
  void load(const SafetensorsFile& file);

 private:
  Var loss_of(const Var& answer, const Tensor& labels) const;

  Recogniser network_;
  std::optional<Recogniser> average_;
  std::optional<nn::Ema> ema_;
  RecogniserTrainerOptions options_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::Schedule schedule_;
  std::int64_t steps_done_ = 0;
};

}  // namespace imago::models
