// Two-dimensional convolution (cross-correlation), closed under differentiation.
//
// One trilinear form  T(x, w, y) = sum over n, p, q, k, r, s, c of
//     y[n, p, q, k] * w[k, r, s, c] * x[n, p * stride_h + r * dilation_h - pad.top,
//                                          q * stride_w + s * dilation_w - pad.left, c]
// (x is 0 outside the image) has three partial derivatives, and they are the three kernels here;
// the gradient of each is made of the other two. With groups, output channel k sees the C / groups
// input channels of its group only.
//
// Shapes: x (N, H, W, C), w (K, R, S, C / groups), y (N, P, Q, K),
//     P = (H + pad.top + pad.bottom - dilation_h * (R - 1) - 1) / stride_h + 1, rounded down; Q
//     alike.
// Dtypes: x, w, y all T of f32, f64, bf16; sums in acc_t<T>.
// Deterministic, for any number of threads. Results are new tensors; arguments are never written.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/engine.h"
#include "kernels/padding.h"
#include "tensor/tensor.h"

namespace imago {

// Everything about a convolution but the extents of its tensors.
struct Conv2dParams {
  int stride_h = 1, stride_w = 1;
  Padding pad = {};
  int dilation_h = 1, dilation_w = 1;
  int groups = 1;

  bool operator==(const Conv2dParams&) const = default;
};

// All extents of one problem, validated.
struct Conv2dProblem {
  std::int64_t N, H, W, C;  // input
  std::int64_t K, R, S;     // weight
  std::int64_t P, Q;        // output
  Conv2dParams params;

  // 2 N P Q K R S C / groups: a multiply and an add for each term, padding included.
  double flops() const;
  std::string to_string() const;  // "n128h32w32c64k128r4s4u2v2p1", "…g2d2" where they are not 1
};

}  // namespace imago

namespace imago::kernels {

// Which derivative of T.
enum class Conv2dPass { forward, input_grad, weight_grad };

inline const char* name_of(Conv2dPass pass) {
  return pass == Conv2dPass::forward      ? "forward"
         : pass == Conv2dPass::input_grad ? "input_grad"
                                          : "weight_grad";
}

// y = dT/dy: the convolution of x (N, H, W, C) with w. Throws when the shapes do not fit, when the
// kernel with its dilation is larger than the padded image,
// or when the engine cannot do the problem.
Tensor conv2d(const Tensor& x, const Tensor& w, const Conv2dParams& params,
              Engine engine = Engine::automatic);

// dT/dx, (N, height, width, C), from y (N, P, Q, K) and w: the gradient of conv2d with respect to
// its input, also called transposed convolution. Several input heights give the same P; the caller
// says which is meant.
Tensor conv2d_input_grad(const Tensor& y, const Tensor& w, std::int64_t height, std::int64_t width,
                         const Conv2dParams& params, Engine engine = Engine::automatic);

// dT/dw, (K, kernel_h, kernel_w, C / groups), from x and y.
// `out` is the dtype of the result: T or acc_t<T>.
Tensor conv2d_weight_grad(const Tensor& x, const Tensor& y, std::int64_t kernel_h,
                          std::int64_t kernel_w, const Conv2dParams& params, DType out,
                          Engine engine = Engine::automatic);

// The problem of conv2d(x, w, params); throws naming `op` when the shapes do not fit.
Conv2dProblem conv2d_problem(const char* op, const Shape& x, const Shape& w,
                             const Conv2dParams& params);

// The extent of a convolution's output along one axis, and of a transposed convolution's output
// when the smallest possible one is meant, plus `output_padding`.
std::int64_t conv_output_extent(std::int64_t in, std::int64_t kernel, int stride, int pad_before,
                                int pad_after, int dilation);
std::int64_t conv_transpose_output_extent(std::int64_t in, std::int64_t kernel, int stride,
                                          int pad_before, int pad_after, int dilation,
                                          int output_padding);

}  // namespace imago::kernels
