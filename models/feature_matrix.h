// What the scores on feature matrices ask of their arguments.
#pragma once

#include "tensor/tensor.h"

namespace imago::models {

// x (N, D) of f32 or f64, on any device, as f64 on the CPU. Throws, naming `op` and what `what` is
// ("fake", "real"), unless it is such a matrix of at least `least` rows whose values are finite.
Tensor feature_matrix(const char* op, const char* what, const Tensor& x, std::int64_t least);

// The same of two matrices with as many columns; `least` counts for both.
struct FeatureMatrices {
  Tensor fake, real;  // (N, D) and (M, D), f64 on the CPU
};
FeatureMatrices feature_matrices(const char* op, const Tensor& fake, const Tensor& real,
                                 std::int64_t least);

}  // namespace imago::models
