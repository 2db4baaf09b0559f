// The engines behind conv2d.h. Arguments are validated and on the engine's device; `out` is a fresh
// tensor of the right shape that holds garbage and is overwritten whole. CUDA engines put their
// work into current_stream() and wait for nothing.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace imago::kernels {

// reference.cpp: every problem, every dtype.
void conv2d_reference(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out);
void conv2d_input_grad_reference(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                                 Tensor& out);
void conv2d_weight_grad_reference(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                                  Tensor& out);

// cpu_direct_*.cpp: f32, groups = dilation = 1, any stride and padding. conv2d_direct_can counts
// bf16 in, which conv2d.cpp brings as f32.
bool conv2d_direct_can(const Conv2dProblem& problem, DType dtype);
void conv2d_direct(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out);
void conv2d_input_grad_direct(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                              Tensor& out);
void conv2d_weight_grad_direct(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                               Tensor& out);

// *_1_naive.cu: every problem whose extents, padded extents and strides are below 2^30, every
// dtype; throws beyond that.
void conv2d_naive(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out);
void conv2d_input_grad_naive(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                             Tensor& out);
void conv2d_weight_grad_naive(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                              Tensor& out);

// Whether the extents are such that the tiled and blocked engines can do the problem: groups =
// dilation = 1 and tensors, padding and the kernel's reach included, of less than 2^30 elements.
bool conv2d_tiles_can(const Conv2dProblem& problem);

// *_2_tiled.cu: shared-memory tiles, every dtype.
void conv2d_tiled(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out);
void conv2d_input_grad_tiled(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                             Tensor& out);
void conv2d_weight_grad_tiled(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                              Tensor& out);

// *_3_blocked.cu: register tiles, f32.
void conv2d_blocked(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out);
void conv2d_input_grad_blocked(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                               Tensor& out);
void conv2d_weight_grad_blocked(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                                Tensor& out);

// vendor_cudnn.cpp: f32 and bf16 (no f32 gradient of bf16 weights), where the build has it.
void conv2d_cudnn(const Conv2dProblem& problem, const Tensor& x, const Tensor& w, Tensor& out);
void conv2d_input_grad_cudnn(const Conv2dProblem& problem, const Tensor& y, const Tensor& w,
                             Tensor& out);
void conv2d_weight_grad_cudnn(const Conv2dProblem& problem, const Tensor& x, const Tensor& y,
                              Tensor& out);

}  // namespace imago::kernels
