// Problems that drive the tests and the bench of permute.
#pragma once

#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct PermuteCase {
  Shape x;
  std::vector<int> order;

  // Read once, written once.
  double bytes(DType dtype) const {
    return 2.0 * static_cast<double>(x.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<PermuteCase> permute_cases() {
  return {
      {{}, {}},
      {{7}, {0}},
      {{1, 5, 1}, {2, 0, 1}},  // nothing moves
      {{3, 5, 7}, {0, 1, 2}},
      {{0, 3}, {1, 0}},
      {{1, 33}, {1, 0}},
      {{2, 3}, {1, 0}},
      {{5, 43}, {1, 0}},  // fewer rows than a register holds
      {{43, 5}, {1, 0}},
      {{33, 31}, {1, 0}},
      {{64, 64}, {1, 0}},
      {{65, 130}, {1, 0}},  // tails of tiles on both sides
      {{17, 200}, {1, 0}},
      {{3, 700}, {1, 0}},  // narrow matrices
      {{700, 3}, {1, 0}},
      {{2, 19, 37, 3}, {0, 3, 1, 2}},  // NHWC -> NCHW, RGB
      {{2, 3, 19, 37}, {0, 2, 3, 1}},  // and back
      {{2, 8, 5, 40}, {0, 3, 1, 2}},   // channels
      {{2, 40, 8, 5}, {0, 2, 3, 1}},
      {{5, 2, 2, 9}, {3, 1, 2, 0}},  // convolution weights (K, R, S, C) -> (C, R, S, K)
      {{5, 6, 3}, {1, 0, 2}},        // units of 3
      {{5, 6, 4}, {1, 0, 2}},
      {{3, 21, 40}, {1, 0, 2}},  // long units
      {{4, 3, 2, 70}, {2, 0, 1, 3}},
      {{18, 3, 20, 2}, {2, 1, 0, 3}},  // words of 2 elements through tiles
      {{2, 3, 4, 5, 6}, {4, 3, 2, 1, 0}},
      {{2, 3, 2, 2, 3, 2, 3, 2}, {7, 1, 5, 3, 0, 2, 6, 4}},
      {{20, 3, 1, 18}, {3, 2, 1, 0}},
  };
}

}  // namespace imago::kernels
