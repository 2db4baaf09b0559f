// Problems that drive the tests and the bench of concat, slice and place.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

// Parts with these extents along `axis` of x, whose own extent there is their sum.
struct AxisCase {
  Shape x;
  int axis;
  std::vector<std::int64_t> extents;

  // Read once, written once.
  double bytes(DType dtype) const {
    return 2.0 * static_cast<double>(x.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<AxisCase> axis_cases() {
  return {
      {{1}, 0, {1}},
      {{7}, 0, {3, 4}},
      {{10, 3, 5}, 0, {2, 1, 0, 7}},
      {{3, 10, 5}, 1, {2, 1, 0, 7}},
      {{3, 5, 10}, 2, {2, 1, 0, 7}},
      {{2, 5, 7, 6}, 3, {3, 3}},     // RGB and RGB
      {{2, 5, 7, 40}, -1, {8, 32}},  // 16-byte words
      {{2, 9, 96}, 2, {32, 64}},
      {{2, 9, 97}, 2, {33, 64}},
      {{2, 600, 33}, 1, {201, 399}},
      {{1, 70001}, 1, {35000, 35001}},  // long rows: several pieces
      {{2, 40000}, 1, {1, 39999}},
      {{0, 4}, 1, {1, 3}},
      {{4, 0}, 0, {1, 3}},
  };
}

}  // namespace imago::kernels
