#pragma once

#include "autograd/var.h"
#include "kernels/resample/resample.h"

namespace imago::ops {

// x (N, H, W, C) resampled to (N, height, width, C); kernels/resample/resample.h has the filters.
// Its gradient is resample_grad.
Var resample(const Var& x, std::int64_t height, std::int64_t width, Filter filter);

}  // namespace imago::ops
