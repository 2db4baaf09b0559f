// The CUDA engine of ema_update, for ema.cpp.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// As ema_update, with checked arguments on the device.
void ema_multi_tensor(std::span<Tensor> averages, std::span<const Tensor> values,
                      const Tensor& weight);

}  // namespace imago::kernels
