// The CUDA engines of the elementwise operations, for the .cpp files here. Arguments have
// been checked and are on the device; results are allocated. Work is put into current_stream() and
// nothing is waited for; no elements launch nothing.
#pragma once

#include <span>

#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/formulas.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// out = op(x, a, b), of one shape. out may be x.
void unary_vector(Unary op, const Tensor& x, double a, double b, Tensor& out);

// out = op(x, y, a, b), all of one shape. out may be x or y.
void binary_vector(Binary op, const Tensor& x, const Tensor& y, double a, double b, Tensor& out);

// out = op(x, y) for the functions that broadcast; x and y seen through the loops `axes` over out,
// which has elements and is a tensor of its own.
void binary_broadcast(Binary op, std::span<const BroadcastAxis> axes, const Tensor& x,
                      const Tensor& y, Tensor& out);

// out, u8, = op(x, y), and out = mask ? x : y; operands and result as above.
void compare_broadcast(Comparison op, std::span<const BroadcastAxis> axes, const Tensor& x,
                       const Tensor& y, Tensor& out);
void where_broadcast(std::span<const BroadcastAxis> axes, const Tensor& mask, const Tensor& x,
                     const Tensor& y, Tensor& out);

// out = a == b or both NaN ? 1 : 0, all of one shape and floating dtype, with elements.
void equal_vector(const Tensor& a, const Tensor& b, Tensor& out);

// out = x in the dtype of out, another one.
void cast_vector(const Tensor& x, Tensor& out);

// Every element of x, of any dtype.
void fill_vector(Tensor& x, double value);

}  // namespace imago::kernels
