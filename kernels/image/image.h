// Between image bytes and network values, on the device the images are on.
// Deterministic, for any number of threads, and the same bits on CUDA. Arguments are never written.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// images u8 (N, H, W, C), or any shape -> x / 127.5 - 1 in [-1, 1], of `dtype` f32, f64 or bf16.
Tensor normalize_u8(const Tensor& images, DType dtype = DType::f32);

// The way back: x f32, f64 or bf16 of any shape -> u8, 127.5 (x + 1) rounded to nearest, halves up,
// and clamped to [0, 255]. NaN becomes 0. Undoes normalize_u8 exactly for f32 and f64.
Tensor denormalize_u8(const Tensor& x);

// The specifications of both, value after value in f64, on the CPU: images u8 -> f64; x f64 -> u8.
Tensor normalize_u8_reference(const Tensor& images);
Tensor denormalize_u8_reference(const Tensor& x);

}  // namespace imago::kernels
