// softmax and its logarithm along one axis, without gradients.
//
//     softmax      y = e^(x - m) / s,      s = sum e^(x - m),  m the largest along the axis
//     log_softmax  y = (x - m) - log s
//
// so that nothing overflows. x of any shape with at least one dimension, f32, f64 or bf16 (computed
// in f32 and rounded once); `axis` counts from the innermost if negative. A row with NaN or +inf,
// or of nothing but -inf, gives NaN. Results are new tensors of the shape and dtype of x and
// arguments are never written. Deterministic for any number of threads: the order of a sum depends
// on its length, and on whether the axis is the innermost.
// Errors: an undefined tensor, another dtype, an axis out of range, arguments that differ.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);

// The gradients of <dy, y> with respect to x, from the results y: y (dy - sum dy y), and
// dy - e^y sum dy.
Tensor softmax_grad(const Tensor& dy, const Tensor& y, int axis = -1);
Tensor log_softmax_grad(const Tensor& dy, const Tensor& y, int axis = -1);

enum class Softmax { softmax, log_softmax, softmax_grad, log_softmax_grad };
const char* name_of(Softmax op);

// The functions above by number; b is y of the gradients, else ignored.
Tensor softmax_any(Softmax op, const Tensor& a, const Tensor& b, int axis);
// The specification: row after row in f64, on the CPU; a and b f64.
Tensor softmax_reference(Softmax op, const Tensor& a, const Tensor& b, int axis);

}  // namespace imago::kernels
