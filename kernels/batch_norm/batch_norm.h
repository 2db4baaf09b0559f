// Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167, algorithm 1) of x (..., C): each
// channel c is shifted and scaled by its own mean and variance over all M = numel / C rows,
//     y = (x - mean[c]) * invstd[c] * gamma[c] + beta[c],   invstd = 1 / sqrt(var + eps),
// with the biased variance var = sum (x - mean)^2 / M.
//
// `stat_groups` G splits the outermost dimension into G equal contiguous parts with statistics of
// their own, as if each part had been given alone: real and fake images can share one batch.
//
// The *_lrelu forms are followed by a leaky ReLU, z > 0 ? z : slope * z (slope 0: ReLU), whose
// derivative at 0 is slope. In f32 and f64 they return the bits of the two ops one after the other;
// in bf16 they round once where the composite rounds twice.
//
// Shapes: x, y, dy, dx (N, ..., C), rank 2 or more; gamma, beta and running statistics (C);
//     mean, var, invstd (G, C).
// Dtypes: x, y, dy, dx T of f32, f64, bf16; everything else acc_t<T>. The statistics are merged
//     from tiles of centred data (Chan, Golub & LeVeque 1983), never as E[x^2] - E[x]^2, so a mean
//     that is large against the spread costs no accuracy beyond its own rounding.
// Deterministic, for any number of threads. Results are new tensors and arguments are never
// written, but for update_running.
// Engines: reference (every dtype) and direct (f32 and bf16, SIMD) on the CPU, tiled (every dtype)
//     on CUDA, automatic.
#pragma once

#include <cstdint>

#include "kernels/engine.h"
#include "tensor/tensor.h"

namespace imago::kernels {

struct BatchNormResult {
  Tensor y;       // like x
  Tensor mean;    // (G, C)
  Tensor invstd;  // (G, C)
  Tensor var;     // (G, C), biased
};

struct BatchNormGrads {
  Tensor dx;      // like x
  Tensor dgamma;  // (C), summed over groups in order
  Tensor dbeta;   // (C), likewise
};

// Training forward. Throws when G does not divide N, when a group has fewer than two values per
// channel, or when shapes or dtypes do not fit.
BatchNormResult batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps,
                           std::int64_t stat_groups = 1, Engine engine = Engine::automatic);
BatchNormResult batch_norm_lrelu(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                 double eps, double slope, std::int64_t stat_groups = 1,
                                 Engine engine = Engine::automatic);

// Gradients of sum(dy * y), mean and invstd being those of the forward pass. With z the value
// before the activation, dz = dy * (z > 0 ? 1 : slope) and xhat = (x - mean) * invstd, a group has
//     dbeta = sum dz,  dgamma = sum dz * xhat,
//     dx = gamma * invstd * (dz - dbeta / M - xhat * dgamma / M).
// z is recomputed from x by the expression of the forward pass, so both agree on its sign.
BatchNormGrads batch_norm_grad(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                               const Tensor& mean, const Tensor& invstd,
                               std::int64_t stat_groups = 1, Engine engine = Engine::automatic);
BatchNormGrads batch_norm_lrelu_grad(const Tensor& dy, const Tensor& x, const Tensor& gamma,
                                     const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                                     double slope, std::int64_t stat_groups = 1,
                                     Engine engine = Engine::automatic);

// Inference: y with running statistics for mean and var, then the activation (slope 1: none).
Tensor batch_norm_inference(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                            const Tensor& running_mean, const Tensor& running_var, double eps,
                            double slope = 1.0, Engine engine = Engine::automatic);

// running = (1 - momentum) * running + momentum * new, once for each row of mean and var (G, C) in
// order, in place. `count` is the number of values per channel of one group; with `unbiased` the
// new variance is var * count / (count - 1).
void update_running(Tensor& running_mean, Tensor& running_var, const Tensor& mean,
                    const Tensor& var, std::int64_t count, double momentum, bool unbiased = true);

}  // namespace imago::kernels
