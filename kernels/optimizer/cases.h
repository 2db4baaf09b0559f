// Lists of parameter shapes that drive the tests and the bench of the optimisers.
#pragma once

#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct OptimizerCase {
  std::vector<Shape> shapes;

  std::int64_t numel() const {
    std::int64_t n = 0;
    for (const Shape& shape : shapes) n += shape.numel();
    return n;
  }
  // Of an update that writes `written` arrays, each of which it reads, and reads the gradient.
  double bytes(DType dtype, int written) const {
    return (2.0 * written + 1) * static_cast<double>(numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<OptimizerCase> optimizer_cases() {
  return {
      {{}},
      {{{1}}},
      {{{}, {7, 11}, {0, 3}, {257}}},
      {{{32771}, {5, 4, 4, 3}, {16384}, {64}}},  // more than one chunk, a tail, exactly one chunk
  };
}

}  // namespace imago::kernels
