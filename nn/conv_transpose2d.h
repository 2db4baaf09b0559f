#pragma once

#include "nn/conv_layer.h"

namespace imago::nn {

struct ConvTranspose2dOptions {
  int in = 0;
  int out = 0;
  int kernel = 0;
  int stride = 1;
  Padding padding = {};    // of the convolution this transposes: it shrinks the output
  int output_padding = 0;  // rows and columns added at the bottom and right; below the stride
  int dilation = 1;
  int groups = 1;
  bool bias = true;
  bool spectral_norm = false;  // nn/spectral_norm.h
};

// x (N, H, W, in) -> (N, H', W', out) with H' = (H - 1) stride - padding.top - padding.bottom +
// dilation (kernel - 1) + 1 + output_padding: the gradient of a convolution from out to in channels
// with respect to its input. weight (in, kernel, kernel, out / groups), bias (out). Both start
// uniform in +-1 / sqrt(kernel^2 out / groups), the fan-in PyTorch counts here.
class ConvTranspose2d final : public ConvLayer {
 public:
  explicit ConvTranspose2d(const ConvTranspose2dOptions& options);
  Var forward(const Var& x) override;

  const ConvTranspose2dOptions& options() const { return options_; }

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace imago::nn
