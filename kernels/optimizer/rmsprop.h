// RMSprop (Hinton 2012, lecture 6e of "Neural networks for machine learning"; centered:
// Graves 2013, arXiv 1308.0850) for many tensors in one pass over memory, in the arrangement
// PyTorch uses: with g the gradient plus weight_decay p,
//     s <- alpha s + (1 - alpha) g^2                    mean square
//     m <- m + (1 - alpha) (g - m)                      mean, if centered
//     d = g / (sqrt(s) + eps), or if centered g / (sqrt(max(s - m^2, 0)) + eps)
//     p <- p - lr d                                     without momentum
//     b <- momentum b + d,  p <- p - lr b               with it
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// Constant over a run. What changes from step to step is in `slots`.
struct RmspropConstants {
  double alpha = 0.99;
  double eps = 1e-8;
  double momentum = 0;
  bool centered = false;
  double weight_decay = 0;  // L2: added to the gradient
};

// Updates params[i], squares[i], means[i] and buffers[i] in place from grads[i]; the lists are
// equally long and entries i have one shape; means is empty unless centered, buffers without
// momentum. What is written is all f32 or all f64 and bumps its version; grads[i] has that dtype
// and is not written. Nothing may share storage across entries. slots (1,) f32 or f64, in device
// memory so that a captured step stays true:
//     { lr }
// Deterministic, for any number of threads, and the same bits on CUDA.
// Errors: lists, shapes, dtypes or devices that differ.
void rmsprop_update(std::span<Tensor> params, std::span<const Tensor> grads,
                    std::span<Tensor> squares, std::span<Tensor> means, std::span<Tensor> buffers,
                    const Tensor& slots, const RmspropConstants& constants);

}  // namespace imago::kernels
