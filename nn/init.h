// First values of parameters. All are drawn from the generator of the Context, one draw for each
// tensor in the order of named_parameters(), so that they are a function of the seed.
#pragma once

#include "nn/module.h"

namespace imago::nn {

// Uniform in +-1 / sqrt(fan_in): what a new layer starts with, as in PyTorch (He et al. 2015,
// "Delving Deep into Rectifiers", with a = sqrt(5) for the leak: sqrt(6 / ((1 + a^2) fan_in))).
Tensor default_uniform(const Shape& shape, std::int64_t fan_in);

// Overwrites x with normals of that mean and standard deviation, or with uniforms in [low, high).
void fill_normal(const Var& x, double mean, double deviation);
void fill_uniform(const Var& x, double low, double high);

}  // namespace imago::nn
