// Maximum and average pooling of images, and their gradients.
//
// A window (p, q) looks at the pixels (p * stride_h - pad.top + r * dilation_h,
// q * stride_w - pad.left + s * dilation_w), its taps r * kernel_w + s; those outside the image are
// padding.
//
// Shapes: x (N, H, W, C), y (N, P, Q, C) with
// P = (H + top + bottom - dilation_h * (kernel_h - 1) - 1) / stride_h + 1, rounded down; Q alike. A
// window that sees nothing but padding is an error.
// Dtypes: f32, f64, bf16; results have the dtype of their argument; sums are acc_t, rounded once.
// Results are new tensors; arguments are never written. Sums are added in a fixed order, the same
// on every device, so results are the same bits for any number of threads and on CUDA; there are no
// atomics where windows overlap, for every pixel asks its windows.
// Errors name what was expected and what came.
#pragma once

#include "kernels/padding.h"
#include "tensor/tensor.h"

namespace imago {

// Everything about a pooling but the extents of its images.
struct Pool2dParams {
  int kernel_h = 2, kernel_w = 2;
  int stride_h = 2, stride_w = 2;
  Padding pad = {};
  int dilation_h = 1, dilation_w = 1;
  bool count_include_pad = true;  // of average pooling: padding counts as pixels of value 0

  bool operator==(const Pool2dParams&) const = default;
};

}  // namespace imago

namespace imago::kernels {

struct MaxPool2dResult {
  Tensor y;  // (N, P, Q, C)
  // (N, P, Q, C), the tap each maximum was found at: u8 where a window has at most 256 taps, so
  // that keeping them costs a sixteenth of x, else i32. Undefined when they were not asked for.
  Tensor taps;
};

// The largest pixel of each window; padding counts as -inf. Of equal ones the first, in the order
// of taps; a NaN wins over everything, the first one.
MaxPool2dResult max_pool2d(const Tensor& x, const Pool2dParams& params, bool with_taps = true);

// The gradient of max_pool2d with respect to x (N, height, width, C): each pixel is the sum of the
// dy (N, P, Q, C) of the windows whose maximum it is, windows in ascending order of (p, q). Linear
// in dy.
Tensor max_pool2d_grad(const Tensor& dy, const Tensor& taps, std::int64_t height,
                       std::int64_t width, const Pool2dParams& params);

// The adjoint of max_pool2d_grad: (N, P, Q, C), what x (N, H, W, C) holds where each window has its
// maximum. Linear in x, unlike max_pool2d.
Tensor max_pool2d_pick(const Tensor& x, const Tensor& taps, const Pool2dParams& params);

// The mean of each window: the sum of its pixels, in the order of taps, times the reciprocal of
// their number: kernel_h * kernel_w, or that of the pixels in the image if count_include_pad is
// false.
Tensor avg_pool2d(const Tensor& x, const Pool2dParams& params);

// Its adjoint: each pixel of the result (N, height, width, C) is the sum over its windows, in
// ascending order of (p, q), of dy (N, P, Q, C) times that reciprocal.
Tensor avg_pool2d_grad(const Tensor& dy, std::int64_t height, std::int64_t width,
                       const Pool2dParams& params);

// The specifications, on the CPU.
MaxPool2dResult max_pool2d_reference(const Tensor& x, const Pool2dParams& params);
Tensor max_pool2d_grad_reference(const Tensor& dy, const Tensor& taps, std::int64_t height,
                                 std::int64_t width, const Pool2dParams& params);
Tensor max_pool2d_pick_reference(const Tensor& x, const Tensor& taps, const Pool2dParams& params);
Tensor avg_pool2d_reference(const Tensor& x, const Pool2dParams& params);
Tensor avg_pool2d_grad_reference(const Tensor& dy, std::int64_t height, std::int64_t width,
                                 const Pool2dParams& params);

// The shape of y; throws naming `op` when the windows do not fit images of shape x.
Shape pool2d_output(const char* op, const Shape& x, const Pool2dParams& params);

}  // namespace imago::kernels
