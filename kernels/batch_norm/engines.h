// The engines behind batch_norm.h. Arguments are validated and on the engine's device; outputs are
// fresh tensors of the right shape that hold garbage and are overwritten whole. The plain forms are
// the activated ones at slope 1, where z and 1 * z have the same bits. CUDA engines put their work
// into current_stream() and wait for nothing.
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

// cpu_direct.cpp: f32 and bf16.
void batch_norm_direct(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                       const Tensor& beta, double eps, double slope, BatchNormResult& out);
void batch_norm_apply_direct(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                             const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                             double slope, Tensor& y);
void batch_norm_grad_direct(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                            const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                            const Tensor& invstd, double slope, BatchNormGrads& out);

// The CUDA engine, `tiled`: every dtype.
// statistics_1_chan.cu
void batch_norm_statistics_cuda(const BatchNormProblem& problem, const Tensor& x, double eps,
                                Tensor& mean, Tensor& invstd, Tensor& var);
// apply_1_columns.cu. `coefficients` (2, G, C): dx = scale * dz + (x - mean) * [0] + [1].
void batch_norm_apply_cuda(const BatchNormProblem& problem, const Tensor& x, const Tensor& gamma,
                           const Tensor& beta, const Tensor& mean, const Tensor& invstd,
                           double slope, Tensor& y);
void batch_norm_grad_apply_cuda(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                                const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                                const Tensor& invstd, const Tensor& coefficients, double slope,
                                Tensor& dx);
// grad_sums_1_columns.cu: the sums of dz and of dz (x - mean) over parts of each group's rows,
// (2, G, parts, C); then the whole backward pass.
Tensor batch_norm_grad_parts_cuda(const BatchNormProblem& problem, const Tensor& dy,
                                  const Tensor& x, const Tensor& gamma, const Tensor& beta,
                                  const Tensor& mean, const Tensor& invstd, double slope);
void batch_norm_grad_cuda(const BatchNormProblem& problem, const Tensor& dy, const Tensor& x,
                          const Tensor& gamma, const Tensor& beta, const Tensor& mean,
                          const Tensor& invstd, double slope, BatchNormGrads& out);

// running = kept * running + fresh * new; new variances are times `bessel` first.
struct RunningUpdate {
  double kept, fresh, bessel;
};
// running_1_channels.cu
void update_running_cuda(const RunningUpdate& update, const Tensor& mean, const Tensor& var,
                         Tensor& running_mean, Tensor& running_var);
// invstd = 1 / sqrt(var + eps), (C)
void invstd_cuda(const Tensor& var, double eps, Tensor& invstd);

}  // namespace imago::kernels
