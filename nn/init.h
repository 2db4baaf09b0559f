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

// Radford et al. 2015 (arXiv 1511.06434): weights of convolutions, transposed convolutions and
// Linear layers N(0, 0.02), batch-norm scales N(1, 0.02), all biases and batch-norm shifts 0.
void init_dcgan(Module& module);

// Glorot & Bengio 2010, as Keras starts its layers: weights uniform in +-sqrt(6 / (fan_in +
// fan_out)), where a convolution's fans count kernel^2;
// biases and batch-norm shifts 0, batch-norm scales 1.
void init_glorot_uniform(Module& module);

}  // namespace imago::nn
