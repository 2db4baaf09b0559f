// The CUDA engines of the elementwise operations, for elementwise.cpp and cast.cpp. Arguments have
// been checked and are on the device; results are allocated. Work is put into current_stream() and
// nothing is waited for; no elements launch nothing.
#pragma once

#include <span>

#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/formulas.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// out = op(x, a), of one shape. out may be x.
void unary_vector(Unary op, const Tensor& x, double a, Tensor& out);

// out = op(x, y, a), all of one shape. out may be x or y.
void binary_vector(Binary op, const Tensor& x, const Tensor& y, double a, Tensor& out);

// out = x op y for add, sub, mul and div; x and y seen through the loops `axes` over out, which has
// elements and is a tensor of its own.
void binary_broadcast(Binary op, std::span<const BroadcastAxis> axes, const Tensor& x,
                      const Tensor& y, Tensor& out);

// out = x in the dtype of out, another one.
void cast_vector(const Tensor& x, Tensor& out);

// Every element of x, of any dtype.
void fill_vector(Tensor& x, double value);

}  // namespace imago::kernels
