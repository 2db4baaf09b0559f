// Cases that drive the tests of pad, crop, pad_reflect and flip.
#pragma once

#include <vector>

#include "kernels/padding.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct PadCase {
  Shape x;  // (N, H, W, C)
  Padding pad;
  bool reflects = true;  // smaller than the extents, so that there is something to mirror
};

// Pixels of 1 byte to several packs, borders as wide as the image, sides of nothing.
inline std::vector<PadCase> pad_cases() {
  return {
      {{1, 1, 1, 1}, {0, 0, 0, 0}},
      {{1, 1, 1, 3}, {2, 1, 0, 3}, false},
      {{2, 5, 7, 3}, {1, 2, 3, 0}},
      {{2, 4, 3, 8}, {3, 3, 2, 2}},  // every pixel shows up several times
      {{1, 2, 2, 4}, {1, 1, 1, 1}},
      {{3, 3, 5, 2}, {0, 2, 4, 1}},
      {{1, 6, 4, 16}, {2, 0, 0, 3}},
      {{1, 3, 3, 1}, {5, 4, 7, 6}, false},  // more border than image
      {{2, 9, 11, 5}, {0, 0, 0, 0}},
      {{1, 17, 13, 20}, {4, 3, 2, 1}},
  };
}

}  // namespace imago::kernels
