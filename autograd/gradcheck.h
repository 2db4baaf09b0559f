// Comparing analytic with numeric derivatives, in f64.
#pragma once

#include <functional>
#include <string>

#include "autograd/var.h"

namespace imago {

struct GradcheckOptions {
  double eps = 1e-6;   // step of the central difference
  double atol = 1e-5;  // |analytic - numeric| <= atol + rtol * |numeric|
  double rtol = 1e-3;
  std::uint64_t seed = 7;  // of the random output weights
};

struct GradcheckResult {
  bool ok = true;
  double worst = 0;     // largest |analytic - numeric|
  std::string message;  // what failed and where; empty when ok
};

using Differentiable = std::function<Vars(const Vars&)>;

// Checks the gradient of <random weights, f(inputs)> with respect to every element of every input
// that requires a gradient. Inputs are f64 leaves. A NaN on either side fails.
GradcheckResult gradcheck(const Differentiable& f, const Vars& inputs,
                          const GradcheckOptions& options = {});

// Checks, in the same way, the gradient of the gradient: gradcheck of (inputs, output weights) ->
// gradients. Also fails when a gradient that depends on an input does not require a gradient.
GradcheckResult gradgradcheck(const Differentiable& f, const Vars& inputs,
                              const GradcheckOptions& options = {});

}  // namespace imago
