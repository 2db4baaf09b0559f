// How CUDA kernels on images lay threads over a result (N, H, W, C): a thread makes one unit of a
// pixel, 16 bytes of neighbouring channels where C and the addresses allow it and else one element;
// neighbouring threads make neighbouring units.
//
//   thread    0  1  2 | 3  4  5 | 6  7  8 | ...       3 units a pixel, W = 2
//   pixel       w 0   |   w 1   |   w 0   |
//   row               h 0       |        h 1
#pragma once

#include "kernels/divisor.h"
#include "kernels/images.h"

namespace imago::kernels {

struct PixelGrid {
  Divisor units, width, height;  // units of a pixel
  int count;                     // of threads that have work

  struct Place {
    int image, h, w, unit;
  };

  PixelGrid(const char* op, std::int64_t N, std::int64_t H, std::int64_t W, std::int64_t units_)
      : units(units_), width(W), height(H), count(static_cast<int>(N * H * W * units_)) {
    require_threads(op, N * H * W * units_);
  }

  // constexpr, so that device code may call it.
  constexpr Place place(int thread) const {
    const int pixel = units.divide(thread);
    const int row = width.divide(pixel);
    const int image = height.divide(row);
    return {image, row - image * height.value, pixel - row * width.value,
            thread - pixel * units.value};
  }
};

}  // namespace imago::kernels
