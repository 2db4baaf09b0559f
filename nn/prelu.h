#pragma once

#include "nn/module.h"

namespace imago::nn {

struct PReLUOptions {
  int channels = 1;     // a slope for each, or 1: one for all
  double slope = 0.25;  // where the slopes start
};

// x > 0 ? x : weight x with learned slopes (He et al. 2015, arXiv 1502.01852): x (..., channels),
// or of any shape for a single slope. weight (channels) starts at 0.25. The paper trains it without
// weight decay, which would pull it towards ReLU.
class PReLU final : public Module {
 public:
  explicit PReLU(const PReLUOptions& options = {});
  Var forward(const Var& x) override;

  const PReLUOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }

 private:
  PReLUOptions options_;
  Var weight_;
};

}  // namespace imago::nn
