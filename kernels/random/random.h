// Random tensors. Element 4 b + j of a draw is word j of Philox block b under the draw's key
// (tensor/philox.h), so it depends on (seed, step, draw, index) only: not on the device, the shape
// or the number of threads. f64 and bf16 elements are the f32 value converted.
// Errors: an integer dtype.
#pragma once

#include "tensor/context.h"
#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// Standard normal (mean 0, variance 1).
Tensor normal(const Shape& shape, DType dtype, DrawKey key,
              Device device = Context::current().device);

// Uniform in [0, 1); in bf16 rounding may give 1.
Tensor uniform(const Shape& shape, DType dtype, DrawKey key,
               Device device = Context::current().device);

// Inverted dropout (Srivastava et al. 2014): x / (1 - p) where uniform(key) >= p, else 0; p in
// [0, 1). The mask is never stored: the gradient is the same call on dy with the same key. f32,
// f64, bf16; a new tensor of the shape and dtype of x. A dropped NaN is 0.
Tensor dropout(const Tensor& x, double p, DrawKey key);

}  // namespace imago::kernels
