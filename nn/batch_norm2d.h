#pragma once

#include "autograd/ops/batch_norm.h"
#include "nn/module.h"

namespace imago::nn {

struct BatchNorm2dOptions {
  int channels = 0;
  double eps = 1e-5;
  // The weight of a new batch: running = (1 - momentum) running + momentum new. What Keras calls
  // momentum 0.99 is 0.01 here.
  double momentum = 0.1;
  // The variance that enters the running average: sum / (M - 1), as in PyTorch, or sum / M.
  bool unbiased = true;
};

// Batch normalisation (Ioffe & Szegedy 2015) of x (N, ..., channels), rank 2 or more, over all axes
// but the last. In training mode with the statistics of the batch, of which running averages are
// kept; in evaluation mode with the running averages. weight (channels) starts at 1, bias
// (channels) at 0; buffers running_mean (channels) at 0, running_var (channels) at 1.
class BatchNorm2d final : public Module {
 public:
  explicit BatchNorm2d(const BatchNorm2dOptions& options);
  Var forward(const Var& x) override;
  // The same, followed by a leaky ReLU of that slope (0: ReLU), fused.
  Var forward_lrelu(const Var& x, double slope);

  const BatchNorm2dOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }
  const Var& bias() const { return bias_; }
  const Var& running_mean() const { return running_mean_; }
  const Var& running_var() const { return running_var_; }

  // In training mode the batch is taken as that many equal, contiguous parts with statistics of
  // their own, the running averages updated by one after the other:
  // as if each part had been given alone.
  void set_stat_groups(int groups);
  int stat_groups() const { return stat_groups_; }

 private:
  void require_input(const Var& x) const;
  Var keep_statistics(const ops::BatchNormOutput& out);

  BatchNorm2dOptions options_;
  int stat_groups_ = 1;
  Var weight_, bias_, running_mean_, running_var_;
};

// set_stat_groups on every BatchNorm2d in a module: set_stat_groups(D, 2) lets real and fake images
// go through D as one batch.
void set_stat_groups(Module& module, int groups);

}  // namespace imago::nn
