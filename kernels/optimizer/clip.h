// Gradient clipping, for many tensors at once: what the optimiser sees is kept within bounds.
//
// All tensors are f32 or all f64, of any shapes, and on one device; where they are changed, no two
// with elements may share storage. Nothing is read back from the device. Deterministic, for any
// number of threads, and the same bits on CUDA. Errors: dtypes or devices that differ; a bound that
// is not positive; storage that is shared.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// The Euclidean norm of all elements of all tensors together, as a new tensor () of their dtype on
// their device; 0 of no elements. Squares and sums are in f64, so that none overflows in f32.
// Written on the CPU and on CUDA as one sum: every `norm_chunk` elements of a tensor have 1024
// accumulators, number j for elements j, j + 1024, ...; they are added as a tree, and so are the
// sums of the chunks.
Tensor global_norm(std::span<const Tensor> tensors);

// Multiplies every element by min(1, max_norm / (norm + 1e-6)), in place, with norm the global norm
// (Pascanu et al. 2013, arXiv 1211.5063; PyTorch's clip_grad_norm_), and returns that norm ().
// Where the factor is 1 no element is touched. A NaN or an infinity among the elements makes the
// factor NaN or 0: nothing is hidden. An empty list has no device: the norm is then 0 f32 on that
// of the Context.
Tensor clip_norm(std::span<Tensor> tensors, double max_norm);
// The same with { max_norm } in slots (1,) f32 or f64, in device memory so that a captured step
// stays true; it must be positive. A step captured with the number above keeps that number.
Tensor clip_norm(std::span<Tensor> tensors, const Tensor& slots);

// Every element x becomes min(max(x, -limit), limit), in place; NaN stays. slots (1,) f32 or f64,
// in device memory so that a captured step stays true: { limit }.
void clip_value(std::span<Tensor> tensors, const Tensor& slots);

}  // namespace imago::kernels
