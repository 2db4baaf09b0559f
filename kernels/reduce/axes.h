// Reductions over any set of axes, without gradients.
//
// `axes` are numbers of axes of x, each at most once, negative ones counted from the innermost
// (-1); none at all means all of them. With `keepdim` a reduced axis stays with extent 1, else it
// is dropped. Results are new tensors and x is never written.
//
// How it works: neighbouring axes of one kind are one, so that x is a few groups of axes that are
// reduced or kept in turn; the groups are reduced innermost first, each as the middle of
// (outer, rows, columns). Sums are deterministic for any number of threads: how they are split and
// merged depends on shapes alone.
// Errors: an undefined tensor, a dtype that is not listed, an axis out of range or named twice.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace imago::kernels {

using AxisList = std::vector<int>;

// The shape of x with the reduced axes dropped, or with extent 1.
Shape reduced_shape(const char* op, const Shape& x, const AxisList& axes, bool keepdim);
// How many elements of x go into one of the result.
std::int64_t reduced_terms(const char* op, const Shape& x, const AxisList& axes);

// f32, f64, bf16: the dtype of x, summed in acc_t as by sum_to. i32, i64, u8: i64.
Tensor sum(const Tensor& x, const AxisList& axes, bool keepdim = false);

// The largest and the smallest, of every dtype. NaN wins: it is in the result where it is among the
// terms. No terms are an error.
Tensor max(const Tensor& x, const AxisList& axes, bool keepdim = false);
Tensor min(const Tensor& x, const AxisList& axes, bool keepdim = false);

// Where the largest is along one axis, as i64; of several equal ones the first. NaN counts as
// larger than every number. x of every dtype.
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
// The place in x, flattened, as a scalar ().
Tensor argmax(const Tensor& x);

// log sum e^x, of the dtype of x (f32, f64, bf16), as m + log sum e^(x - m) with m the largest, so
// that nothing overflows. -inf of no terms and of terms that are all -inf; NaN where there is one.
Tensor logsumexp(const Tensor& x, const AxisList& axes, bool keepdim = false);

// (sum |x|^p)^(1/p) for p = 1 and 2, of the dtype of x (f32, f64, bf16). Squares are summed in
// acc_t as they are: beyond 1e19 in f32 they overflow.
Tensor norm(const Tensor& x, double p, const AxisList& axes, bool keepdim = false);

enum class Reduction { sum, max, min, argmax, logsumexp, norm1, norm2 };

// The specification: one element after another, in f64, on the CPU. x of any dtype, results f64.
Tensor reduce_reference(Reduction op, const Tensor& x, const AxisList& axes, bool keepdim = false);

}  // namespace imago::kernels
