// Stochastic gradient descent with momentum for many tensors in one pass over memory, in the
// arrangement PyTorch uses: with g the gradient plus weight_decay p,
//     p <- p - lr g                                     without momentum
//     b <- momentum b + taken g                         with it (Polyak 1964)
//     p <- p - lr b, or p - lr (g + momentum b)         the latter after Nesterov (Sutskever et al.
//                                                       2013, "On the importance of initialization
//                                                       and momentum in deep learning")
// where taken is 1 at the first step and 1 - dampening after it.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// Constant over a run. What changes from step to step is in `slots`.
struct SgdConstants {
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;  // L2: added to the gradient
};

// Updates params[i] and buffers[i] in place from grads[i]; the lists are equally long and entries i
// have one shape; without momentum `buffers` is empty. params and buffers are all f32 or all f64
// and bump their versions; grads[i] has that dtype and is not written. Nothing may share storage
// across entries. slots (2,) f32 or f64, in device memory so that a captured step stays true:
//     { lr, taken }
// Deterministic, for any number of threads, and the same bits on CUDA.
// Errors: lists, shapes, dtypes or devices that differ; nesterov without momentum.
void sgd_update(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> buffers,
                const Tensor& slots, const SgdConstants& constants);

}  // namespace imago::kernels
