// Cases that drive the tests of the ways between image bytes and network values.
#pragma once

#include <vector>

#include "kernels/tolerance.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct ImageCase {
  Shape shape;

  // The largest error of a value in [-1, 1] stored as `dtype`: f64 is the specification itself.
  double tolerance(DType dtype) const {
    if (dtype == DType::f64) return 0;
    return epsilon(DType::f32) + (dtype == DType::bf16 ? 0.25 * epsilon(dtype) : 0);
  }
  // How far from a value its byte may have been taken: the error of 127.5 (x + 1), between 0 and
  // 255, in steps of 127.5.
  double byte_tolerance(DType dtype) const { return 4 * epsilon(acc_dtype(dtype)); }
  double bytes(DType dtype) const {  // one way: bytes on one side, values on the other
    return static_cast<double>(shape.numel()) * static_cast<double>(1 + size_of(dtype));
  }
};

// The last one has every byte, at an odd size of more than one grain.
inline std::vector<ImageCase> image_cases() {
  return {{{}}, {{1}}, {{5, 0}}, {{3, 7, 11, 1}}, {{2, 16, 1237, 3}}};
}

}  // namespace imago::kernels
