// Operations on each element by itself, without gradients.
//
// Unless stated otherwise: arguments are f32, f64 or bf16 and all of one dtype, the result is a new
// tensor of that dtype, bf16 is computed in f32 and rounded once. Arguments may alias each other
// and are never written. NaN in gives NaN out; nothing checks for domain errors (log(-1) is NaN).
// Deterministic: f32 and bf16 results are the same bits on every SIMD target, for any number of
// threads and on CUDA, but for the payload of a NaN; f64 too, save exp, log, tanh and what is made
// of them, where CUDA's library and C's differ in the last places. f32 functions err by at most 3
// units in the last place. The formulas are in formulas.h.
// Errors: an undefined tensor, another dtype, mixed dtypes or devices, shapes that do not fit.
#pragma once

#include "kernels/elementwise/formulas.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// x of any shape -> the same shape.
Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor softplus(const Tensor& x);                  // log(1 + e^x), without overflow
Tensor relu(const Tensor& x);                      // max(x, 0)
Tensor leaky_relu(const Tensor& x, double slope);  // x > 0 ? x : slope x
Tensor abs(const Tensor& x);
Tensor scale(const Tensor& x, double factor);     // factor x
Tensor add_scalar(const Tensor& x, double term);  // x + term

// a and b broadcast as in NumPy: extents are aligned at the innermost dimension; a missing extent
// or one of 1 is repeated.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);

// Gradients with respect to the input of the function of that name, both arguments of one shape.
// At the kink of relu and leaky_relu (x = 0) the slope of the negative side is taken.
Tensor tanh_grad(const Tensor& dy, const Tensor& y);                      // dy (1 - y^2)
Tensor sigmoid_grad(const Tensor& dy, const Tensor& y);                   // dy y (1 - y)
Tensor relu_grad(const Tensor& dy, const Tensor& x);                      // x > 0 ? dy : 0
Tensor leaky_relu_grad(const Tensor& dy, const Tensor& x, double slope);  // x > 0 ? dy : slope dy
Tensor abs_grad(const Tensor& dy, const Tensor& x);  // x > 0 ? dy : x < 0 ? -dy : 0

// The functions above by number, with their parameter (slope, factor, term; else ignored).
Tensor unary(Unary op, const Tensor& x, double a = 0);
Tensor binary(Binary op, const Tensor& x, const Tensor& y, double a = 0);
const char* name_of(Unary op);
const char* name_of(Binary op);

// The same values in another dtype, from any dtype to any. Floating to integer drops the fraction
// and saturates; NaN becomes 0. Integer to integer saturates. A cast to the dtype x has returns x
// itself, sharing storage.
Tensor cast(const Tensor& x, DType dtype);

// Overwrites every element of x, of any dtype, and bumps its version.
// The value is converted as by cast.
void fill(Tensor& x, double value);

// A new tensor of these elements, made on `device`: unlike Tensor::full it copies nothing from the
// host, so it can be part of a captured step.
Tensor full(const Shape& shape, double value, DType dtype, Device device);

// a += b, of one shape and dtype; writes a in place and bumps its version. b may be a itself.
void add_into(Tensor& a, const Tensor& b);

// The specification, element by element in f64 and rounded once; what tests compare with. Takes the
// arguments of unary and binary.
Tensor unary_reference(Unary op, const Tensor& x, double a = 0);
Tensor binary_reference(Binary op, const Tensor& x, const Tensor& y, double a = 0);

}  // namespace imago::kernels
