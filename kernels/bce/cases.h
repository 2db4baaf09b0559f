// Cases that drive the tests and the bench of bce_with_logits.
#pragma once

#include <vector>

#include "kernels/tolerance.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct BceCase {
  Shape shape;

  // Largest errors for logits of `dtype`, of a mean loss and of its gradient for a dy up to 1.5.
  double loss_tolerance(DType dtype, double loss) const {
    return 8 * epsilon(acc_dtype(dtype)) * (loss + 1);
  }
  double grad_tolerance(DType dtype) const {
    return 8 * epsilon(dtype) / static_cast<double>(shape.numel());
  }
  double bytes(DType dtype) const {  // logits and targets are read
    return 2.0 * static_cast<double>(shape.numel()) * static_cast<double>(size_of(dtype));
  }
};

// Around the lanes, the stretches and the ranges of stretches that sums are made of.
inline std::vector<BceCase> bce_cases() {
  return {{{}}, {{1}}, {{7}}, {{128, 1}}, {{3, 5, 7}}, {{4096}}, {{4097}}, {{40009}}};
}

}  // namespace imago::kernels
