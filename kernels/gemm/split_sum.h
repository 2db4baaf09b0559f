// The second stage of products whose depth was split among blocks.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// out (...) = the sum of parts (splits, ...) over the first extent, in a fixed order. Both are f32
// on a CUDA device. `op` is named in errors.
void sum_splits(const char* op, const Tensor& parts, Tensor& out);

}  // namespace imago::kernels
