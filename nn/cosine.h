// Directions: vectors of length 1, whose products are cosines.
#pragma once

#include "nn/module.h"

namespace imago::nn {

// Each row of x (..., D) divided by max(||row||_2, eps), as torch.nn.functional.normalize does. A
// row of zeros stays zeros and has gradient x's own divided by eps, never NaN.
Var l2_normalize(const Var& x, double eps = 1e-12);

struct CosineLinearOptions {
  int in = 0;
  int out = 0;
};

// x (N, in) -> the cosines (N, out) between each row of x and each row of weight (out, in), in
// [-1, 1] but for rounding. Neither lengths nor a bias say anything: what is left of a linear
// classifier when only angles count (Wang et al. 2017, arXiv 1704.06369). weight starts normal with
// standard deviation 1 / sqrt(in).
class CosineLinear final : public Module {
 public:
  explicit CosineLinear(const CosineLinearOptions& options);
  Var forward(const Var& x) override;

  const CosineLinearOptions& options() const { return options_; }
  const Var& weight() const { return weight_; }

 private:
  CosineLinearOptions options_;
  Var weight_;
};

}  // namespace imago::nn
