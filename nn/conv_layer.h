#pragma once

#include <optional>

#include "kernels/conv2d/conv2d.h"
#include "nn/module.h"
#include "nn/spectral_norm.h"

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
  bool spectral_norm = false;  // nn/spectral_norm.h
};

// What Conv2d and ConvTranspose2d share: a weight, a bias and the parameters of the kernel.
class ConvLayer : public Module {
 public:
  const Var& weight() const { return weight_; }  // before spectral normalisation
  const Var& bias() const { return bias_; }      // undefined without

 protected:
  // weight (out, kernel, kernel, in / groups), or transposed (in, kernel, kernel, out / groups);
  // bias (out). Both start uniform in +-1 / sqrt(kernel^2 times the last extent of weight). Throws,
  // naming `layer`, when a number is not positive or the groups do not divide the channels.
  ConvLayer(const char* layer, const Conv2dOptions& options, bool transposed);

  // Throws unless x is (N, H, W, in).
  static void check_input(const char* layer, const Var& x, int in);
  // What to convolve with; with spectral normalisation and in training mode, call it once for each
  // forward pass.
  Var effective_weight() const;
  Var plus_bias(const Var& y) const;  // y (N, P, Q, out)

  Conv2dParams params_;

 private:
  Var weight_, bias_;
  std::optional<SpectralNorm> spectral_norm_;
};

}  // namespace imago::nn
