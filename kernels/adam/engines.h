// The CUDA engine of adam_update, for adam.cpp.
#pragma once

#include <span>

#include "kernels/adam/adam.h"

namespace imago::kernels {

// As adam_update, with checked arguments on the device; scalars (3,) is f64.
void adam_multi_tensor(std::span<Tensor> params, std::span<const Tensor> grads, std::span<Tensor> m,
                       std::span<Tensor> v, const Tensor& scalars, const AdamConstants& constants);

}  // namespace imago::kernels
