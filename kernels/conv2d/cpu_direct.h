// What the three passes of the direct engine share.
#pragma once

#include "kernels/conv2d/cpu_windows.h"
#include "kernels/conv2d/engines.h"
#include "kernels/gemm/cpu_blocked.h"
#include "kernels/gemm/engines.h"

namespace imago::kernels {

// A kernel that covers the whole unpadded input makes one pixel: each pass is a plain gemm of
// matrices x (N, HWC), w (K, HWC) and y (N, K).
inline bool is_matrix_product(const Conv2dProblem& d) {
  return d.R == d.H && d.S == d.W && d.params.pad == Padding{};
}

// The windows of x (N, H, W, C) that output pixels [m0, m0 + count) of (N, P, Q) see.
inline void input_windows(const Conv2dProblem& d, const WindowShape& shape, const float* x,
                          std::int64_t m0, std::int64_t count, Window* windows) {
  PixelWalk at(d.P, d.Q, m0);
  for (std::int64_t i = 0; i < count; ++i, at.next()) {
    windows[i] =
        Window(shape, x + at.n * d.H * d.W * d.C, at.i * d.params.stride_h - d.params.pad.top,
               at.j * d.params.stride_w - d.params.pad.left);
  }
}

// The memory of an image batch (N, rows, columns, channels) that windows of consecutive pixels see.
inline blocked::Stretch window_stretch(const WindowShape& shape, const Window& first,
                                       const Window& last) {
  const std::int64_t row = shape.columns * shape.channels;
  const std::int64_t bottom = std::min(last.top + shape.kernel_h, shape.rows);
  return {first.image + std::clamp<std::int64_t>(first.top, 0, shape.rows) * row,
          last.image + std::max<std::int64_t>(bottom, 0) * row};
}

}  // namespace imago::kernels
