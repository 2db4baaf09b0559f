// First values of parameters. All are drawn from the generator of the Context, one draw for each
// tensor in the order of named_parameters(), so that they are a function of the seed.
#pragma once

#include <functional>

#include "nn/activations.h"
#include "nn/module.h"

namespace imago::nn {

// Uniform in +-1 / sqrt(fan_in): what a new layer starts with, as in PyTorch (He et al. 2015,
// "Delving Deep into Rectifiers", with a = sqrt(5) for the leak: sqrt(6 / ((1 + a^2) fan_in))).
Tensor default_uniform(const Shape& shape, std::int64_t fan_in);

// Overwrites x with normals of that mean and standard deviation, or with uniforms in [low, high).
void fill_normal(const Var& x, double mean, double deviation);
void fill_uniform(const Var& x, double low, double high);

// Overwrites x with normals of that mean and standard deviation, drawn again while they are more
// than `bound` deviations from the mean. bound > 0; a narrow one takes no more draws than others.
void fill_truncated_normal(const Var& x, double mean, double deviation, double bound = 2);

// The fans of a weight by its shape, the innermost extent counting inputs, as PyTorch counts them:
//     Linear (out, in)               in = in          out = out
//     Conv2d (out, R, S, in / groups) in = R S in / groups   out = R S out
// A transposed convolution's weight (in, R, S, out / groups) is counted in the same way, so that
// its `in` is R S out / groups. Throws for fewer than two dimensions.
enum class Fan { in, out };
std::int64_t fan_of(const Shape& weight, Fan fan);

// How much an activation shrinks a signal: what weights before it are multiplied by to make up for
// it. relu sqrt(2), leaky_relu sqrt(2 / (1 + slope^2)), tanh 5 / 3, otherwise 1.
double gain_of(Activation activation, double slope = 0.2);

struct KaimingOptions {
  Fan fan = Fan::in;  // in keeps the scale of signals, out that of gradients
  double slope = 0;   // of the leaky ReLU that follows; 0: ReLU, 1: nothing
};
// He et al. 2015 (arXiv 1502.01852): deviation sqrt(2 / ((1 + slope^2) fan)).
void kaiming_normal(const Var& weight, const KaimingOptions& options = {});
void kaiming_uniform(const Var& weight, const KaimingOptions& options = {});

// Glorot & Bengio 2010: deviation gain sqrt(2 / (fan in + fan out)).
void xavier_normal(const Var& weight, double gain = 1);
void xavier_uniform(const Var& weight, double gain = 1);

// Saxe et al. 2014 (arXiv 1312.6120): the weight as a matrix (first extent, all others) becomes
// gain times one with orthonormal rows, or columns where it has fewer of them, uniformly among all
// such matrices. Computed in f64 on the CPU.
void orthogonal(const Var& weight, double gain = 1);

// What follows acts on a module and all below it. Slopes of PReLU and embeddings stay as they are.

// Calls f on the weight of every Linear, Conv2d and ConvTranspose2d, in the order of
// named_parameters(), and sets their biases and the shifts of normalising layers to 0, the scales
// of those to 1:
//     init_weights(net, [](const Var& w) { kaiming_normal(w, {.slope = 0.2}); });
void init_weights(Module& module, const std::function<void(const Var&)>& f);

// Radford et al. 2015 (arXiv 1511.06434): weights of convolutions, transposed convolutions and
// Linear layers N(0, 0.02), batch-norm scales N(1, 0.02), all biases and batch-norm shifts 0. Other
// norms start at scale 1 and shift 0.
void init_dcgan(Module& module);

// Glorot & Bengio 2010, as Keras starts its layers: weights uniform in +-sqrt(6 / (fan_in +
// fan_out)), where a convolution's fans count kernel^2;
// biases and the shifts of normalising layers 0, their scales 1.
void init_glorot_uniform(Module& module);

}  // namespace imago::nn
