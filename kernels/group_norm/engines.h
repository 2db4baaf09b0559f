// The engines behind group_norm.h. Arguments are validated, not empty and on the engine's device,
// gamma and beta defined; outputs are fresh tensors that hold garbage and are overwritten whole,
// dgamma and dbeta undefined where they are not wanted.
#pragma once

#include "kernels/group_norm/group_norm.h"

namespace imago::kernels {

// reference.cpp: every dtype.
void normalise_reference(const NormProblem& problem, const Tensor& x, const Tensor& gamma,
                         const Tensor& beta, double eps, NormResult& out);
void normalise_grad_reference(const NormProblem& problem, const Tensor& dy, const Tensor& x,
                              const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                              NormGrads& out);

// cpu_images.cpp: f32, one image after another.
void normalise_images(const NormProblem& problem, const Tensor& x, const Tensor& gamma,
                      const Tensor& beta, double eps, NormResult& out);
void normalise_images_grad(const NormProblem& problem, const Tensor& dy, const Tensor& x,
                           const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                           NormGrads& out);

// cpu_rows.cpp: images of one pixel, whose groups are rows of `width` contiguous elements; any
// dtype. One call takes rows [first, first + rows) on one thread; pointers are those of row 0.
// `gamma` and `beta` belong to row r from (r % groups) * width on.
struct NormRowsCall {
  DType dtype;
  std::int64_t first, rows, groups, width;
  const void *x, *dy;  // dy: the gradient, else null
  const void *gamma, *beta;
  void *mean, *invstd;  // (rows): written by the forward pass
  double eps;
  void* out;               // y or dx
  double *dgamma, *dbeta;  // (groups * width): what these rows add, or null
};
void run_norm_rows(const NormRowsCall& call);

// The CUDA engine, `tiled`: every dtype.
// rows_1_teams.cu: images of one pixel; the gradient without those of the parameters.
void normalise_rows_cuda(const NormProblem& problem, const Tensor& x, const Tensor& gamma,
                         const Tensor& beta, double eps, NormResult& out);
void normalise_rows_grad_cuda(const NormProblem& problem, const Tensor& dy, const Tensor& x,
                              const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                              Tensor& dx);
// parameters_1_columns.cu: for images of one pixel.
void normalise_rows_parameters_cuda(const NormProblem& problem, const Tensor& dy, const Tensor& x,
                                    const Tensor& mean, const Tensor& invstd, Tensor& dgamma,
                                    Tensor& dbeta);
// images_1_channels.cu: images of several pixels.
void normalise_images_cuda(const NormProblem& problem, const Tensor& x, const Tensor& gamma,
                           const Tensor& beta, double eps, NormResult& out);
void normalise_images_grad_cuda(const NormProblem& problem, const Tensor& dy, const Tensor& x,
                                const Tensor& gamma, const Tensor& mean, const Tensor& invstd,
                                NormGrads& out);

}  // namespace imago::kernels
