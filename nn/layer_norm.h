#pragma once

#include "nn/module.h"

namespace imago::nn {

struct LayerNormOptions {
  Shape shape = {};  // the innermost dimensions, which are normalised together: {512}
  double eps = 1e-5;
  bool affine = true;  // weight and bias are learned; else 1 and 0
};

// Layer normalisation (Ba et al. 2016, arXiv 1607.06450) of x (..., shape): each row by its own
// mean and biased variance, the same in training and evaluation. weight (shape) starts at 1, bias
// (shape) at 0.
class LayerNorm final : public Module {
 public:
  explicit LayerNorm(const LayerNormOptions& options);
  Var forward(const Var& x) override;

  const LayerNormOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }  // undefined unless affine
  const Var& bias() const { return bias_; }      // likewise

 private:
  LayerNormOptions options_;
  Var weight_, bias_;
};

}  // namespace imago::nn
