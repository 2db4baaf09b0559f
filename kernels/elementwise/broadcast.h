// Broadcasting as strides: two operands seen through one loop nest over the shape of the result.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/shape.h"

namespace imago::kernels {

// One loop. Strides are in elements; 0 means that the operand is repeated along this loop.
struct BroadcastAxis {
  std::int64_t extent, stride_a, stride_b;
};

// The shape of a op b; throws naming `op` when the two do not fit.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

// The loops over `out`, outermost first, with neighbours fused where both operands allow and loops
// of one step dropped: (N, H, W, C) with (C,) becomes {N H W: (C, 0)}, {C: (1, 1)}. Never empty for
// a result with elements: a single element is one loop of one step.
// `a` and `b` must broadcast to `out`.
std::vector<BroadcastAxis> broadcast_axes(const Shape& out, const Shape& a, const Shape& b);

}  // namespace imago::kernels
