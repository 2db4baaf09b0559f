// Another order of axes, in host memory: what files in other layouts need on their way in and out.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago {

// A copy whose axis i is axis axes[i] of `t`: permuted(t, {0, 2, 3, 1}) makes (K, C, R, S) into
// (K, R, S, C). Any dtype. Throws when `t` is in device memory or `axes` does not name each axis
// once.
Tensor permuted(const Tensor& t, std::span<const int> axes);

}  // namespace imago
