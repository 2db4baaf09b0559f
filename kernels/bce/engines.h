// The CUDA engine of binary cross-entropy, for bce.cpp. Arguments have been checked, have elements
// and are on the device; results are allocated. Work is put into current_stream().
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

void bce_with_logits_blocks(const Tensor& logits, const Tensor& targets, Tensor& loss);
void bce_with_logits_grad_vector(const Tensor& dy, const Tensor& logits, const Tensor& targets,
                                 Tensor& out);

}  // namespace imago::kernels
