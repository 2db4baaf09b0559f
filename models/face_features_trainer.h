// How face features are trained: to tell people apart (a softmax over identities, which is thrown
// away afterwards) and to name attributes, both from one embedding.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/face_features.h"
#include "nn/optim.h"
#include "nn/schedule.h"

namespace imago::models {

struct FaceFeaturesTrainerOptions {
  int identities = 1000;      // classes of the softmax; at least 2
  std::int64_t steps = 1500;  // of the whole schedule: a warm-up over the first 5%, then a cosine
  double lr = 3e-3;
  double weight_decay = 0.05;
  double label_smoothing = 0.1;   // of the identities
  double attribute_weight = 0.5;  // of the summed losses of the attributes
};

// Labels are i64, on any device.
struct FaceLabels {
  Tensor identities;               // (N), below options.identities
  std::vector<Tensor> attributes;  // (N) for each attribute: positions in its values
};

// What happened in a step, still on the device.
struct FaceFeaturesStep {
  Var loss;        // what was minimised: identity + attribute_weight * attributes
  Var identity;    // cross-entropy of the identities
  Var attributes;  // sum of those of the attributes
};

class FaceFeaturesTrainer {
 public:
  // Of a network that is on its device; the softmax gets fresh weights from the Context's
  // generator.
  FaceFeaturesTrainer(FaceFeatures& network, const FaceFeaturesTrainerOptions& options);

  // One update on images (N, 64, 64, 3), f32 in [-1, 1]. Throws when there were options.steps.
  FaceFeaturesStep step(const Tensor& images, const FaceLabels& labels);
  std::int64_t steps_done() const { return steps_done_; }

  // How many of the images are given the right identity and the right values, in evaluation mode.
  struct Hits {
    std::int64_t identities = 0;
    std::vector<std::int64_t> attributes;
  };
  Hits hits(const Tensor& images, const FaceLabels& labels);

 private:
  FaceFeatures& network_;
  FaceFeaturesTrainerOptions options_;
  nn::Linear identities_;
  std::optional<optim::AdamW> optimizer_;
  optim::Schedule schedule_;
  std::int64_t steps_done_ = 0;
};

}  // namespace imago::models
