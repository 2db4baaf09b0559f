// The CUDA engines of image.cpp. Arguments have been checked and are on the device; results are
// allocated. Work is put into current_stream(); no elements launch nothing.
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

void normalize_u8_vector(const Tensor& images, Tensor& out);
void denormalize_u8_vector(const Tensor& x, Tensor& out);

}  // namespace imago::kernels
