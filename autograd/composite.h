// Derivatives by composition, for fused operations.
#pragma once

#include <functional>

#include "autograd/var.h"

namespace imago {

// The gradients of composite(inputs) with respect to the inputs for which needs[i], given those
// with respect to its outputs (undefined ones count as zero): what the backward of a fused gradient
// kernel returns, where `composite` computes the same outputs from elementary operations. Records
// its own computation when, and only when, the caller is recording.
Vars composite_backward(const std::function<Vars(const Vars&)>& composite, const Vars& inputs,
                        const std::vector<bool>& needs, const Vars& grad_outputs);

}  // namespace imago
