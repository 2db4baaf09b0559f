// Resampling of images to a height and a width, and the adjoint, without gradients.
//
// Pixels are areas: the centre of place i of `out` lies at (i + 1/2) in / out of the `in` places of
// the argument (half-pixel centres; "align_corners = false"). Along each axis place i is
//
//   nearest             the place floor((2 i + 1) in / (2 out)) that this centre lies in
//   bilinear            a mean of the two nearest, by distance; beyond the border the border itself
//   bilinear_antialias  where it shrinks, a mean under a triangle as wide as 2 in / out places, so
//                       that fine patterns average out instead of aliasing; elsewhere bilinear
//
// With t(i, j) = max(0, 2 m - |(2 j + 1) out - (2 i + 1) in|), where m is max(in, out) with
// antialias and else out, the weight of place j of the argument is t(i, j) / sum over j' of
// t(i, j'): both are whole numbers, so a weight is rounded once. These are the weights of PyTorch's
// interpolate (nearest-exact, bilinear, antialias) and of Pillow's BILINEAR.
//
// Shapes: x (N, H, W, C), at least one element. Dtypes: f32, f64, bf16, for nearest u8 too; the
// result has the dtype of x. Sums are in acc_t and rounded once: first along the rows of a column
// of the argument, from the top, then along the columns from the left, the same on every device. So
// results are the same bits for any number of threads and on CUDA; there are no atomics in the
// adjoint, for every pixel asks those that it went into.
// Results are new tensors, arguments never written. Errors name what was expected and what came.
#pragma once

#include "tensor/tensor.h"

namespace imago {

enum class Filter { nearest, bilinear, bilinear_antialias };

const char* name_of(Filter filter);

}  // namespace imago

namespace imago::kernels {

// x (N, H, W, C) -> (N, height, width, C).
Tensor resample(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter);

// The adjoint: dy (N, H', W', C), the shape of a resampled image, to the (N, height, width, C) it
// was made of. Each pixel is the sum of dy times its weight there.
Tensor resample_grad(const Tensor& dy, std::int64_t height, std::int64_t width, Filter filter);

// The specifications, on the CPU.
Tensor resample_reference(const Tensor& x, std::int64_t height, std::int64_t width, Filter filter);
Tensor resample_grad_reference(const Tensor& dy, std::int64_t height, std::int64_t width,
                               Filter filter);

}  // namespace imago::kernels
