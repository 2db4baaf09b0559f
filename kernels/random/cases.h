// Cases that drive the tests and the bench of the random tensors.
#pragma once

#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct RandomCase {
  Shape shape;

  double bytes(DType dtype) const {
    return static_cast<double>(shape.numel()) * static_cast<double>(size_of(dtype));
  }
};

// Sizes around the block of 4, the stretches of 1024 and the 16384 elements a thread takes.
inline std::vector<RandomCase> random_cases() {
  return {{{}}, {{2}}, {{4}}, {{5}}, {{13, 7}}, {{0, 3}}, {{1025}}, {{16384}}, {{127, 401}}};
}

}  // namespace imago::kernels
