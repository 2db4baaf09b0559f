#pragma once

#include "kernels/conv2d/conv2d.h"
#include "nn/activations.h"
#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/conv_transpose2d.h"

namespace imago::nn {

struct ConvBlockOptions {
  int in = 0;
  int out = 0;
  int kernel = 0;
  int stride = 1;
  Padding padding = {};  // Padding::same(1), or four sides
  bool transposed = false;
  int output_padding = 0;  // of a transposed convolution
  bool bias = false;       // of the convolution; batch norm takes any bias away again
  bool batch_norm = true;
  bool spectral_norm = false;  // of the convolution: nn/spectral_norm.h
  double eps = 1e-5;
  double momentum = 0.1;
  bool unbiased = true;
  Activation activation = Activation::none;
  double slope = 0.2;  // of leaky_relu
};

// A convolution or transposed convolution, then batch norm, then an activation, as one layer:
// x (N, H, W, in) -> (N, P, Q, out). It computes what its children "conv" and "norm" and the
// activation do one after the other; batch norm and (leaky) ReLU run as one fused operation.
class ConvBlock final : public Module {
 public:
  explicit ConvBlock(const ConvBlockOptions& options);
  Var forward(const Var& x) override;

  const ConvBlockOptions& options() const { return options_; }
  Module& conv() const { return *conv_; }
  BatchNorm2d& norm() const;  // throws when there is none

 private:
  ConvBlockOptions options_;
  std::shared_ptr<Module> conv_;
  std::shared_ptr<BatchNorm2d> norm_;
};

}  // namespace imago::nn
