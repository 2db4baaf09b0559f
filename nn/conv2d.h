#pragma once

#include "kernels/conv2d/conv2d.h"
#include "nn/module.h"

namespace imago::nn {

struct Conv2dOptions {
  int in = 0;
  int out = 0;
  int kernel = 0;
  int stride = 1;
  Padding padding = {};  // Padding::same(1), or four sides
  int dilation = 1;
  int groups = 1;
  bool bias = true;
};

// x (N, H, W, in) -> (N, P, Q, out), the convolution of kernels/conv2d/conv2d.h plus a bias.
// weight (out, kernel, kernel, in / groups), bias (out). Both start uniform in +-1 / sqrt(kernel^2
// in / groups).
class Conv2d final : public Module {
 public:
  explicit Conv2d(const Conv2dOptions& options);
  Var forward(const Var& x) override;

  const Conv2dOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }
  const Var& bias() const { return bias_; }  // undefined without

 private:
  Conv2dOptions options_;
  Conv2dParams params_;
  Var weight_, bias_;
};

}  // namespace imago::nn
