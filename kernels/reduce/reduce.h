// Sums over axes and their adjoint, repetition along axes; without gradients.
//
// Dtypes: f32, f64, bf16; the result has the dtype of x. Sums are in acc_t: bf16 is summed in f32
// and rounded once. Arguments are never written. Deterministic, for any number of threads and on
// every SIMD target: how a sum is split depends on the shapes alone. Rounding errors grow with the
// logarithm of the number of terms, not with the number.
// Errors: an undefined tensor, an integer dtype, a shape that does not fit.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// Sums the axes of x in which `shape` has extent 1 or, aligned at the innermost dimension, is
// missing: (N, H, W, C) to (C,) is the gradient of a bias, to () the sum of all elements. The
// result is a new tensor of shape `shape`; where nothing is summed it is x under that shape,
// sharing storage. A sum of no terms is 0.
Tensor sum_to(const Tensor& x, const Shape& shape);

// The adjoint: x repeated along the axes in which it has extent 1 or, aligned at the innermost
// dimension, is missing. Where nothing is repeated the result is x
// under that shape, sharing storage.
Tensor broadcast_to(const Tensor& x, const Shape& shape);

// The specification of sum_to: one term after another in f64.
Tensor sum_to_reference(const Tensor& x, const Shape& shape);

}  // namespace imago::kernels
