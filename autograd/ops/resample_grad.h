#pragma once

#include "autograd/var.h"
#include "kernels/resample/resample.h"

namespace imago::ops {

// The adjoint of resample: from dy, of the shape of a resampled image, to the (N, height, width, C)
// it was made of. Its gradient is resample.
Var resample_grad(const Var& dy, std::int64_t height, std::int64_t width, Filter filter);

}  // namespace imago::ops
