// Padding, cropping and mirroring of images, without gradients: every pixel of the result is one of
// the argument's, or a constant. And the adjoint of reflected padding, which adds pixels up.
//
// Shapes: images (N, H, W, C) with at least one element; flip takes any shape.
// Dtypes: f32, f64, bf16, and u8 where nothing is added up; the result has the dtype of x.
// Results are new tensors; arguments are never written. Copies are exact, so results are the same
// bits for any number of threads and on every device. Errors name what was expected and what came.
#pragma once

#include "kernels/padding.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// x (N, H, W, C) with `pad` pixels of `value` around it:
// (N, top + H + bottom, left + W + right, C). u8 takes the value rounded towards 0 and clamped to
// [0, 255]. Errors: negative padding.
Tensor pad(const Tensor& x, const Padding& pad, double value = 0);

// Rows [top, top + height) and columns [left, left + width) of x: (N, height, width, C). The
// adjoint of pad with zeros. Errors: a window that is empty or leaves the image.
Tensor crop(const Tensor& x, std::int64_t top, std::int64_t left, std::int64_t height,
            std::int64_t width);

// x mirrored at its border pixels, which are not repeated: a row a b c d with 2 pixels on the left
// and 1 on the right becomes c b a b c d c. Errors: negative padding, and padding that is not
// smaller than the extent it mirrors.
Tensor pad_reflect(const Tensor& x, const Padding& pad);

// The adjoint of pad_reflect: each pixel of the result (N, H, W, C) is the sum of the pixels of dy
// (N, top + H + bottom, left + W + right, C) that show it, rows from the top and in them columns
// from the left, added in acc_t and rounded once.
Tensor pad_reflect_grad(const Tensor& dy, const Padding& pad);

// x (any shape of at least one dimension) with the order along `axis` reversed; negative axes count
// from the innermost: -2 is W of an image. Its own adjoint.
Tensor flip(const Tensor& x, int axis);

// The specifications, on the CPU.
Tensor pad_reference(const Tensor& x, const Padding& pad, double value);
Tensor crop_reference(const Tensor& x, std::int64_t top, std::int64_t left, std::int64_t height,
                      std::int64_t width);
Tensor pad_reflect_reference(const Tensor& x, const Padding& pad);
Tensor pad_reflect_grad_reference(const Tensor& dy, const Padding& pad);
Tensor flip_reference(const Tensor& x, int axis);

}  // namespace imago::kernels
