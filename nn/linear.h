#pragma once

#include <optional>

#include "nn/module.h"
#include "nn/spectral_norm.h"

namespace imago::nn {

struct LinearOptions {
  int in = 0;
  int out = 0;
  bool bias = true;
  bool spectral_norm = false;  // nn/spectral_norm.h
};

// x (N, in) -> x weight^T + bias, (N, out). weight (out, in), bias (out). Both start uniform in
// +-1 / sqrt(in).
class Linear final : public Module {
 public:
  explicit Linear(const LinearOptions& options);
  Var forward(const Var& x) override;

  const LinearOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }  // before spectral normalisation
  const Var& bias() const { return bias_; }      // undefined without

 private:
  LinearOptions options_;
  Var weight_, bias_;
  std::optional<SpectralNorm> spectral_norm_;
};

}  // namespace imago::nn
