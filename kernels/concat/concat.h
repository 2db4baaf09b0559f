// Joining tensors along the outermost dimension. The parts come back by
// Tensor::slice, which shares storage.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// parts (n_i, ...) of one dtype whose other extents agree -> (sum of n_i, ...), a new tensor. Any
// dtype. Errors: no parts, a scalar, extents, dtypes or devices that differ.
Tensor concat(std::span<const Tensor> parts);

}  // namespace imago::kernels
