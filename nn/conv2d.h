#pragma once

#include "nn/conv_layer.h"

namespace imago::nn {

// x (N, H, W, in) -> (N, P, Q, out), the convolution of kernels/conv2d/conv2d.h plus a bias.
// weight (out, kernel, kernel, in / groups), bias (out). Both start uniform in +-1 / sqrt(kernel^2
// in / groups).
class Conv2d final : public ConvLayer {
 public:
  explicit Conv2d(const Conv2dOptions& options);
  Var forward(const Var& x) override;

  const Conv2dOptions& options() const { return options_; }

 private:
  Conv2dOptions options_;
};

}  // namespace imago::nn
