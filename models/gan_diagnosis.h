// Telling from the figures of a run what has gone wrong in it, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/gan_objective.h"
#include "models/training_warning.h"
#include "tensor/tensor.h"

namespace imago::models {

struct GanDiagnosisOptions {
  // D wins when its loss stays for `patience` steps within a share `near` of the way from the least
  // it can be to where D cannot tell real from fake.
  double near = 0.05;
  std::int64_t patience = 200;
  // The generator has collapsed when its samples have less than this share of the variety of real
  // images. Before step `judged_from` it has not learnt to differ yet, and is not judged.
  double least_variety = 0.2;
  std::int64_t judged_from = 200;
};

// Each warning is given once. What is seen is numbers, so equal runs get equal warnings.
class GanDiagnosis {
 public:
  GanDiagnosis(GanLoss loss, double real_target, const GanDiagnosisOptions& options = {});

  // D's loss without penalties, at rising steps, not at each of them. The wasserstein loss has no
  // least value, so that nothing is ever said of it.
  std::optional<TrainingWarning> see_loss_d(std::int64_t step, double loss_d);
  // Samples of the generator as a share of the variety of real images.
  std::optional<TrainingWarning> see_variety(std::int64_t step, double share);

 private:
  GanLoss loss_;
  GanBalance balance_;
  GanDiagnosisOptions options_;
  std::optional<std::int64_t> near_since_;
  bool said_d_wins_ = false, said_collapse_ = false;
};

// mean_pairwise_distance (models/metrics.h) of the samples as a share of that of real images; both
// (N, H, W, C) f32 with N >= 2 of their own. Nothing where the real images are all alike.
std::optional<double> share_of_variety(const Tensor& samples, const Tensor& real);

}  // namespace imago::models
