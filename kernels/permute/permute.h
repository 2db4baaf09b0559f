// Reordering of axes. NHWC to NCHW is permute(x, {0, 3, 1, 2}).
//
// Dtypes: any; elements are moved, never looked at. The result is a new tensor, also where the
// order is the identity (tensors have no strides, so there is nothing to share). Deterministic.
// Engines: reference and direct on the CPU; naive and tiled on CUDA; automatic. All of them give
// the same bits.
#pragma once

#include <initializer_list>
#include <span>

#include "kernels/engine.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// x (e_0, ..., e_n-1) -> (e_order[0], ..., e_order[n-1]): axis i of the result is axis order[i] of
// x. An axis may be counted from the innermost, -1. Throws unless `order` names every axis once.
Tensor permute(const Tensor& x, std::span<const int> order, Engine engine = Engine::automatic);
Tensor permute(const Tensor& x, std::initializer_list<int> order,
               Engine engine = Engine::automatic);

// Exchanges two axes, counted as above.
Tensor transpose(const Tensor& x, int axis_a, int axis_b);

}  // namespace imago::kernels
