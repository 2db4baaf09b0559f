// Broadcasting as strides: two or three operands seen through one loop nest over the shape of the
// result.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "tensor/shape.h"

namespace imago::kernels {

// One loop. Strides, one for each operand, are in elements; 0 means that the operand is repeated
// along this loop (or that there is no such operand).
struct BroadcastAxis {
  std::int64_t extent;
  std::int64_t stride[3];
};

// The shape of a op b; throws naming `op` when the two do not fit.
Shape broadcast_shape(const char* op, const Shape& a, const Shape& b);

// The loops over `out`, outermost first, with neighbours fused where all operands allow and loops
// of one step dropped: (N, H, W, C) with (C,) becomes {N H W: (C, 0)}, {C: (1, 1)}. Never empty for
// a result with elements: a single element is one loop of one step.
// The operands broadcast to `out`; at most three.
std::vector<BroadcastAxis> broadcast_axes(const Shape& out, std::initializer_list<Shape> operands);

}  // namespace imago::kernels
