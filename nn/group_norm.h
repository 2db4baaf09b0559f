// Normalisation of each image by itself, the same in training and evaluation: what a discriminator
// under a gradient penalty uses in place of batch norm, which ties the images of a batch together
// (Gulrajani et al. 2017, arXiv 1704.00028, section 4).
#pragma once

#include "nn/module.h"

namespace imago::nn {

struct GroupNormOptions {
  int groups = 0;
  int channels = 0;  // a multiple of groups
  double eps = 1e-5;
  bool affine = true;  // weight and bias are learned; else 1 and 0
};

// Group normalisation (Wu & He 2018, arXiv 1803.08494) of x (N, ..., channels): each image and each
// of `groups` groups of neighbouring channels by its own mean and biased variance.
// weight (channels) starts at 1, bias (channels) at 0.
class GroupNorm final : public Module {
 public:
  explicit GroupNorm(const GroupNormOptions& options);
  Var forward(const Var& x) override;

  const GroupNormOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }  // undefined unless affine
  const Var& bias() const { return bias_; }      // likewise

 private:
  GroupNormOptions options_;
  Var weight_, bias_;
};

struct InstanceNorm2dOptions {
  int channels = 0;
  double eps = 1e-5;
  bool affine = false;
};

// Instance normalisation (Ulyanov et al. 2016, arXiv 1607.08022) of images x (N, H, W, channels),
// H W > 1: each channel of each image by its own mean and biased variance. Parameters as of
// GroupNorm, when there are any.
class InstanceNorm2d final : public Module {
 public:
  explicit InstanceNorm2d(const InstanceNorm2dOptions& options);
  Var forward(const Var& x) override;

  const InstanceNorm2dOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }  // undefined unless affine
  const Var& bias() const { return bias_; }      // likewise

 private:
  InstanceNorm2dOptions options_;
  Var weight_, bias_;
};

}  // namespace imago::nn
