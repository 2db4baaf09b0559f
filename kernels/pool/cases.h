// Cases that drive the tests of pooling.
#pragma once

#include <vector>

#include "kernels/pool/pool.h"

namespace imago::kernels {

struct PoolCase {
  Shape x;  // (N, H, W, C)
  Pool2dParams params;
};

// One element, three channels, whole packs of every dtype, windows that overlap, leave gaps, reach
// into the padding or cover everything; rows and columns that differ.
inline std::vector<PoolCase> pool_cases() {
  Pool2dParams overlap{.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}};
  Pool2dParams image_only = overlap;
  image_only.count_include_pad = false;
  return {
      {{1, 1, 1, 1}, {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1}},
      {{2, 4, 6, 8}, {}},
      {{2, 5, 7, 3}, {}},  // a row and a column that no window sees
      // Rows long enough for vectors of few channels, at strides of 1, 2 and 3.
      {{2, 6, 45, 3}, {}},
      {{1, 5, 83, 3}, overlap},
      {{1, 4, 40, 2}, {.kernel_h = 2, .kernel_w = 3, .stride_h = 2, .stride_w = 1}},
      {{1, 7, 50, 3},
       {.kernel_h = 3,
        .kernel_w = 4,
        .stride_h = 2,
        .stride_w = 3,
        .pad = {1, 1, 2, 1},
        .count_include_pad = false}},
      {{2, 7, 6, 16}, overlap},
      {{1, 6, 7, 5}, image_only},
      {{1, 5, 4, 67}, overlap},  // more channels than one block of lanes
      {{1, 6, 5, 4},
       {.kernel_h = 2, .kernel_w = 3, .stride_h = 1, .stride_w = 3, .pad = {0, 1, 2, 0}}},
      {{1, 9, 8, 2},
       {.kernel_h = 2, .kernel_w = 1, .stride_h = 3, .stride_w = 4, .pad = {1, 0, 0, 0}}},
      {{2, 8, 9, 4},
       {.kernel_h = 3,
        .kernel_w = 2,
        .stride_h = 2,
        .stride_w = 1,
        .pad = {2, 1, 1, 2},
        .dilation_h = 2,
        .dilation_w = 3,
        .count_include_pad = false}},
      {{2, 5, 3, 3}, {.kernel_h = 5, .kernel_w = 3, .stride_h = 1, .stride_w = 1}},
      // More taps than a byte can name.
      {{1, 18, 17, 4}, {.kernel_h = 17, .kernel_w = 16, .stride_h = 1, .stride_w = 1}},
  };
}

}  // namespace imago::kernels
