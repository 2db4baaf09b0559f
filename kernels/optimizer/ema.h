// Exponential moving averages of many tensors in one pass:
//     average <- average + weight (value - average)
// with weight = 1 - decay (Polyak & Juditsky 1992 average iterates; Yazici et al. 2019, arXiv
// 1806.04498, do so for the generator of a GAN).
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// Updates averages[i] in place from values[i], and bumps its version; the lists are equally long
// and entries i have one shape. All f32 or all f64. slots (1,) f32 or f64, in device memory so that
// a captured step stays true: { weight }, in [0, 1]. Nothing may share storage across entries.
// Deterministic, for any number of threads, and the same bits on CUDA.
// Errors: lists, shapes, dtypes or devices that differ.
void ema_update(std::span<Tensor> averages, std::span<const Tensor> values, const Tensor& slots);

}  // namespace imago::kernels
