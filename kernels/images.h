// Checks that the operations on images (N, H, W, C) share.
#pragma once

#include <limits>

#include "kernels/padding.h"
#include "tensor/tensor.h"

namespace imago::kernels {

// `x` is a batch of at least one pixel whose height and width kernels can count in 32 bits.
inline void require_images(const char* op, const char* name, const Tensor& x) {
  check(x.defined(), op, name, " is undefined");
  check(x.dim() == 4, op, name, " is rank 4, (N, H, W, C), but it is ", x.shape());
  check(x.numel() > 0, op, name, " has no elements: ", x.shape());
  constexpr std::int64_t limit = std::int64_t{1} << 29;
  check(x.size(1) < limit && x.size(2) < limit, op, name,
        " has a height and a width below 2^29, but it is ", x.shape());
}

inline void require_floating_images(const char* op, const char* name, const Tensor& x) {
  require_images(op, name, x);
  check(is_floating(x.dtype()), op, name, " is ", x.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
}

inline void require_padding(const char* op, const Padding& pad) {
  check(pad.top >= 0 && pad.bottom >= 0 && pad.left >= 0 && pad.right >= 0, op,
        "padding is not negative, but top ", pad.top, ", bottom ", pad.bottom, ", left ", pad.left,
        ", right ", pad.right, "; crop takes pixels away");
}

// The shape of x with another height and width.
inline Shape resized(const Tensor& x, std::int64_t height, std::int64_t width) {
  return {x.size(0), height, width, x.size(3)};
}

// A grid of one thread each; kernels count threads in 32 bits.
inline void require_threads(const char* op, std::int64_t threads) {
  check(threads <= std::numeric_limits<std::int32_t>::max(), op, "needs ", threads,
        " threads on a CUDA device, which counts to 2^31 - 1; split the batch");
}

}  // namespace imago::kernels
