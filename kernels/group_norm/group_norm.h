// Normalisation within each image (Wu & He 2018, arXiv 1803.08494) or row (Ba et al. 2016,
// arXiv 1607.06450), without gradients:
//     y = (x - mean) * invstd * gamma + beta,   invstd = 1 / sqrt(var + eps),
// with mean and biased variance of each group of elements, whatever the rest of the batch is.
//
//   group norm      x (N, ..., C): for each of N images, G groups of C / G neighbouring channels
//   instance norm   the same with G = C
//   layer norm      x (..., normalised): each row of the innermost dimensions `normalised`
//
// All three are one problem: x (images, pixels, groups, width), statistics over pixels and width,
// gamma and beta (groups * width).
//
// Shapes: x, y, dy, dx alike; gamma, beta, dgamma, dbeta of groups * width elements;
//     mean, invstd (images, groups).
// Dtypes: x, y, dy, dx T of f32, f64, bf16; everything else acc_t<T>. gamma and beta may be
//     undefined: 1 and 0.
// Moments are those of centred data, merged by Chan's formula, never E[x^2] - E[x]^2.
// Deterministic, for any number of threads. Results are new tensors, arguments are never written.
// Engines: reference (every dtype) and direct (f32, bf16; layer norm also f64) on the CPU, tiled
//     (every dtype) on CUDA, automatic.
// Errors: undefined x, shapes or dtypes that do not fit, groups that do not divide C, groups of
//     less than two elements.
#pragma once

#include <cstdint>

#include "kernels/engine.h"
#include "tensor/tensor.h"

namespace imago::kernels {

struct NormProblem {
  const char* name;  // "group_norm" or "layer_norm"
  std::int64_t images, pixels, groups, width;

  std::int64_t channels() const { return groups * width; }
  std::int64_t terms() const { return pixels * width; }  // of one group
};
// Throw when the shape does not fit.
NormProblem group_norm_problem(const Shape& x, std::int64_t groups);
NormProblem layer_norm_problem(const Shape& x, const Shape& normalised);

struct NormResult {
  Tensor y, mean, invstd;
};
struct NormGrads {
  Tensor dx, dgamma, dbeta;
};

NormResult normalise(const NormProblem& problem, const Tensor& x, const Tensor& gamma,
                     const Tensor& beta, double eps, Engine engine = Engine::automatic);

// Gradients of sum(dy * y), mean and invstd being those of the forward pass. With
// d = x - mean, A = sum gamma dy and B = sum gamma dy d over a group of M elements,
//     dx = invstd * (gamma dy - A / M - d * invstd^2 * B / M),
//     dgamma = sum over images and pixels of dy * d * invstd,   dbeta = sum of dy.
// Without `parameters` dgamma and dbeta are left undefined.
NormGrads normalise_grad(const NormProblem& problem, const Tensor& dy, const Tensor& x,
                         const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                         bool parameters = true, Engine engine = Engine::automatic);

}  // namespace imago::kernels
