// What padding, cropping, mirroring and nearest-neighbour resampling share: every pixel of the
// result is a copy of a pixel of the argument, and its row and its column are chosen apart from
// each other. A pixel is so many bytes; their type does not matter.
#pragma once

#include <cstdint>

#include "kernels/padding.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// Which of `in` places along one axis of the argument each of `out` places of the result shows.
struct AxisMap {
  enum class Kind : int { window, reflect, flip, nearest };
  Kind kind;
  int in, out;
  int before = 0;  // window, reflect: places of the result before place 0 of the argument

  // The source of place i, -1 where nothing is shown; constexpr, so that device code may call it.
  constexpr int source(int i) const {
    switch (kind) {
      case Kind::window: {
        const int at = i - before;
        return at >= 0 && at < in ? at : -1;
      }
      case Kind::reflect: {
        const int at = i < before ? before - i : i - before;
        return at < in ? at : 2 * (in - 1) - at;
      }
      case Kind::flip:
        return in - 1 - i;
      case Kind::nearest: {
        // The centre of i lies at (2 i + 1) in / (2 out) of the argument. A GPU divides 32-bit
        // numbers several times faster than 64-bit ones.
        const std::int64_t centre = (2 * std::int64_t{i} + 1) * in;
        if (centre <= INT32_MAX) return static_cast<int>(centre) / (2 * out);
        return static_cast<int>(centre / (2 * std::int64_t{out}));
      }
    }
    return -1;
  }
};

// x (batch, rows.in, columns.in) of pixels of pixel_bytes -> out (batch, rows.out, columns.out).
// `fill` is one element of element_bytes that stands where nothing is shown.
struct PixelMap {
  std::int64_t batch;
  AxisMap rows, columns;
  std::int64_t pixel_bytes;
  int element_bytes;
  std::byte fill[8];
};

// On the device of x; nothing is checked but what the CUDA kernel can count.
void copy_pixels(const char* op, const PixelMap& map, const Tensor& x, Tensor& out);

void copy_pixels_cpu(const PixelMap& map, const std::byte* x, std::byte* out);
void copy_pixels_cuda(const char* op, const PixelMap& map, const Tensor& x, Tensor& out);

// The places of a reflected axis that show place i of `in`, in ascending order.
struct Folds {
  int at[3];
  int count;

  constexpr Folds(int i, int in, int before, int after) : at{}, count(0) {
    if (i > 0 && i <= before) at[count++] = before - i;
    at[count++] = before + i;
    const int mirrored = in - 1 - i;
    if (mirrored > 0 && mirrored <= after) at[count++] = before + in - 1 + mirrored;
  }
};

// The adjoint of reflected padding. dy (N, H + top + bottom, W + left + right, C), out
// (N, H, W, C).
void pad_reflect_grad_cpu(const Padding& pad, const Tensor& dy, Tensor& out);
void pad_reflect_grad_cuda(const Padding& pad, const Tensor& dy, Tensor& out);

}  // namespace imago::kernels
