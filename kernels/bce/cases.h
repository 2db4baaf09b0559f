// Cases that drive the tests and the bench of bce_with_logits.
#pragma once

#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct BceCase {
  Shape shape;

  double bytes(DType dtype) const {  // logits and targets are read
    return 2.0 * static_cast<double>(shape.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<BceCase> bce_cases() {
  return {{{}}, {{1}}, {{7}}, {{128, 1}}, {{3, 5, 7}}, {{40009}}};
}

}  // namespace imago::kernels
