// Operations on each element by itself, without gradients.
//
// Unless stated otherwise: arguments are f32, f64 or bf16 and all of one dtype, the result is a new
// tensor of that dtype, bf16 is computed in f32 and rounded once. Arguments may alias each other
// and are never written. NaN in gives NaN out; nothing checks for domain errors (log(-1) is NaN).
// Deterministic: f32 and bf16 results are the same bits on every SIMD target, for any number of
// threads and on CUDA, but for the payload of a NaN; f64 too, save exp, log, tanh and what is made
// of them, where CUDA's library and C's differ in the last places. f32 functions err by at most 3
// units in the last place, where nothing else is said. The formulas are in formulas.h.
// Errors: an undefined tensor, another dtype, mixed dtypes or devices, shapes that do not fit.
#pragma once

#include <limits>

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
Tensor rsqrt(const Tensor& x);                    // 1 / sqrt(x), rounded twice
Tensor reciprocal(const Tensor& x);               // 1 / x
Tensor sign(const Tensor& x);                     // 1, -1 or x itself: a zero or NaN
Tensor erf(const Tensor& x);                      // 2 / sqrt(pi) times the integral of e^(-t^2)

// x^exponent as the C library's pow: NaN for a negative x and an exponent that is no integer.
// Exponents 2, 1, 1/2, -1/2 and -1 are square, x, sqrt, rsqrt and reciprocal.
Tensor pow(const Tensor& x, double exponent);

// x between two bounds, low <= high; without the one or the other where it is left out.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};
Tensor clamp(const Tensor& x, const Bounds& bounds);
void check_bounds(const char* op, const Bounds& bounds);  // throws unless low <= high

// Gaussian error linear unit, x Phi(x) with Phi(x) = (1 + erf(x / sqrt(2))) / 2 (Hendrycks and
// Gimpel 2016, arXiv 1606.08415), or the approximation given there,
// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. f32 errors, in units in the last place: 4
// above -5 and 11 below; of the approximation 15 above -3, growing with x^3 below.
enum class Gelu { erf, tanh };
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);

// Sigmoid linear unit x s(x), s the sigmoid; also called swish (arXiv 1702.03118, 1710.05941).
Tensor silu(const Tensor& x);

// a and b broadcast as in NumPy: extents are aligned at the innermost dimension; a missing extent
// or one of 1 is repeated.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);  // of equal ones b: a zero of either sign
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor greater_share(const Tensor& a, const Tensor& b);  // a > b ? 1 : a < b ? 0 : 1/2
Tensor pow(const Tensor& a, const Tensor& b);            // a^b
// x > 0 ? x : slope x with a slope per channel (C,) or any other that broadcasts to the shape of x
// (He et al. 2015, arXiv 1502.01852), and what that multiplies x by.
Tensor prelu(const Tensor& x, const Tensor& slope);
Tensor prelu_factor(const Tensor& x, const Tensor& slope);  // x > 0 ? 1 : slope

// Gradients with respect to the input of the function of that name, both arguments of one shape.
// At the kink of relu and leaky_relu (x = 0) the slope of the negative side is taken.
Tensor tanh_grad(const Tensor& dy, const Tensor& y);                      // dy (1 - y^2)
Tensor sigmoid_grad(const Tensor& dy, const Tensor& y);                   // dy y (1 - y)
Tensor relu_grad(const Tensor& dy, const Tensor& x);                      // x > 0 ? dy : 0
Tensor leaky_relu_grad(const Tensor& dy, const Tensor& x, double slope);  // x > 0 ? dy : slope dy
Tensor abs_grad(const Tensor& dy, const Tensor& x);  // x > 0 ? dy : x < 0 ? -dy : 0
Tensor clamp_grad(const Tensor& dy, const Tensor& x, const Bounds& bounds);  // in them ? dy : 0
Tensor gelu_grad(const Tensor& dy, const Tensor& x, Gelu form = Gelu::erf);
Tensor silu_grad(const Tensor& dy, const Tensor& x);
// The summands of the gradient of prelu with respect to its slope: x > 0 ? 0 : dy x.
Tensor prelu_slope_grad(const Tensor& dy, const Tensor& x);

// The functions above by number, with their parameters (slope, factor, bounds; else ignored).
Tensor unary(Unary op, const Tensor& x, double a = 0, double b = 0);
Tensor binary(Binary op, const Tensor& x, const Tensor& y, double a = 0, double b = 0);
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
Tensor unary_reference(Unary op, const Tensor& x, double a = 0, double b = 0);
Tensor binary_reference(Binary op, const Tensor& x, const Tensor& y, double a = 0, double b = 0);

}  // namespace imago::kernels
