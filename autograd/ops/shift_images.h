#pragma once

#include "autograd/var.h"

namespace imago::ops {

// Image n of x (N, H, W, C), of any dtype, moved down[n] rows down and right[n] columns to the
// right, with zeros moving in: y[n, i, j] = x[n, i - down[n], j - right[n]]. down and right (N) of
// i64, on the device of x; negative is up and left, and what moves out is gone. Its gradient is the
// shift by the opposite distances, so nothing is ever added up.
Var shift_images(const Var& x, const Tensor& down, const Tensor& right);

}  // namespace imago::ops
