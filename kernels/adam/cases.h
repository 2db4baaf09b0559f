// Lists of parameter shapes that drive the tests and the bench of adam_update.
#pragma once

#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct AdamCase {
  std::vector<Shape> shapes;

  std::int64_t numel() const {
    std::int64_t n = 0;
    for (const Shape& shape : shapes) n += shape.numel();
    return n;
  }
  // p, g, m, v are read; p, m, v are written.
  double bytes(DType dtype) const {
    return 7.0 * static_cast<double>(numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<AdamCase> adam_cases() {
  return {
      {{}},
      {{{1}}},
      {{{}, {7, 11}, {0, 3}, {257}}},
      {{{32771}, {5, 4, 4, 3}, {16384}, {64}}},  // more than one chunk, a tail, exactly one chunk
  };
}

}  // namespace imago::kernels
