// The engines behind batch_norm.h. Arguments are validated and on the CPU; outputs are fresh
// tensors of the right shape that hold garbage and are overwritten whole. The plain forms are the
// activated ones at slope 1, where z and 1 * z have the same bits.
#pragma once

#include "kernels/batch_norm/batch_norm.h"

namespace imago::kernels {

// All extents of one problem: `groups` times `rows` rows of `channels` values.
struct BatchNormProblem {
  std::int64_t groups;
  std::int64_t rows;
  std::int64_t channels;
};

// reference.cpp: every dtype.
void batch_norm_reference(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                          const Tensor& beta, double eps, double slope, BatchNormResult& out);
void batch_norm_apply_reference(const BatchNormProblem& problem, const Tensor& x,
                                const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                                const Tensor& invstd, double slope, Tensor& y);
void batch_norm_grad_reference(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                               const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                               const Tensor& invstd, double slope, BatchNormGrads& out);

// cpu_direct.cpp: f32.
void batch_norm_direct(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                       const Tensor& beta, double eps, double slope, BatchNormResult& out);
void batch_norm_apply_direct(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                             const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                             double slope, Tensor& y);
void batch_norm_grad_direct(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                            const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                            const Tensor& invstd, double slope, BatchNormGrads& out);

}  // namespace imago::kernels
