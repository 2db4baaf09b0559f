// The Adam step (Kingma & Ba 2015, algorithm 1) for many tensors in one pass over memory, in the
// arrangement PyTorch uses: with g the gradient plus weight_decay p,
//     m <- m + (1 - beta1) (g - m)
//     v <- beta2 v + (1 - beta2) g^2
//     p <- p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
// and with decoupled decay (AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101) g is the gradient
// alone and the last line begins with (1 - lr weight_decay) p.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// Constant over a run. What changes from step to step is in `slots`.
struct AdamConstants {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;  // L2: added to the gradient, unless
  bool decoupled = false;   // AdamW: the parameter shrinks by lr weight_decay of itself
};

// Updates params[i], m[i] and v[i] in place from grads[i]; the four lists are equally long and
// entries i have one shape. params, m and v are all f32 or all f64 and bump their versions;
// grads[i] has that dtype and is not written. Nothing may share storage across entries. slots (3,)
// f32 or f64, in device memory so that a captured step stays true:
//     { lr, 1 / (1 - beta1^t), 1 / sqrt(1 - beta2^t) } with t = 1 at the first step.
// Deterministic, for any number of threads, and the same bits on CUDA.
// Errors: lists, shapes, dtypes or devices that differ.
void adam_update(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> m,
                 std::span<Tensor> v, const Tensor& slots, const AdamConstants& constants);

}  // namespace imago::kernels
