// The CUDA engines of the random tensors, for random.cpp. Results are allocated on the device. Work
// is put into current_stream(); no elements launch nothing.
#pragma once

#include "tensor/philox.h"
#include "tensor/tensor.h"

namespace imago::kernels {

void normal_philox(DrawKey key, Tensor& out);
void uniform_philox(DrawKey key, Tensor& out);
void dropout_philox(const Tensor& x, double p, DrawKey key, Tensor& out);

}  // namespace imago::kernels
