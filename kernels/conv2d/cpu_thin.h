// Convolutions of stride 1 with one to four output channels, as at the image end of a generator or
// a decoder. Output channels would fill a fraction of a vector, so the vectors run along a row of
// pixels instead, over channels that are transposed into planes, a few rows at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace imago::kernels {

inline constexpr std::int64_t thin_channels = 4;

// One set of output pixels that use the same taps, on a grid of rows x columns: pixel (i, j) sees
// the window of the image whose upper left pixel is (i + top, j + left) and is written at
// out + n * image + i * row + j * column.
struct ThinPhase {
  std::int64_t rows, columns;
  std::int64_t kernel_h, kernel_w;
  std::int64_t top, left;
  const float* weights;  // (image channels, kernel_h, kernel_w, output channels)
  float* out;
  std::int64_t row, column;  // in floats
};

struct ThinProblem {
  std::int64_t images, rows, columns, channels;  // input (images, rows, columns, channels)
  std::int64_t output_channels;                  // 1 .. thin_channels
  std::int64_t output_image;                     // floats from one output image to the next
};

// Runs all phases on an image's rows while they are in the cache.
void convolve_thin(const ThinProblem& problem, const float* input,
                   const std::vector<ThinPhase>& phases);

}  // namespace imago::kernels
