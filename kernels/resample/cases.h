// Cases that drive the tests of resampling.
#pragma once

#include <vector>

#include "kernels/resample/resample.h"

namespace imago::kernels {

struct ResampleCase {
  Shape x;  // (N, H, W, C)
  std::int64_t height, width;
};

// Doubling, halving, odd ratios, one axis growing, one shrinking, single pixels, one size.
inline std::vector<ResampleCase> resample_cases() {
  return {
      {{1, 1, 1, 1}, 1, 1},   {{2, 4, 5, 8}, 8, 10},  {{1, 3, 2, 3}, 6, 4},  {{1, 8, 6, 16}, 4, 3},
      {{2, 7, 5, 3}, 3, 11},  {{1, 5, 7, 4}, 5, 7},   {{1, 1, 3, 2}, 4, 1},  {{1, 13, 4, 5}, 2, 9},
      {{1, 17, 11, 1}, 2, 2}, {{1, 2, 3, 67}, 7, 11}, {{1, 3, 9, 24}, 5, 4},
  };
}

inline constexpr Filter filters[] = {Filter::nearest, Filter::bilinear, Filter::bilinear_antialias};

}  // namespace imago::kernels
