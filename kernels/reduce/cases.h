// Cases that drive the tests and the bench of sum_to and broadcast_to.
#pragma once

#include <vector>

#include "kernels/tolerance.h"
#include "tensor/shape.h"

namespace imago::kernels {

struct ReduceCase {
  Shape large, small;

  std::int64_t terms() const { return small.numel() ? large.numel() / small.numel() : 0; }
  // Largest error of a sum of elements about 1 in magnitude; `largest` among the true results.
  double tolerance(DType dtype, double largest) const {
    const double scale = std::fmax(largest, std::sqrt(static_cast<double>(terms())));
    return sum_tolerance(dtype, dtype, terms(), scale);
  }
  // The large tensor is read, the small one written.
  double bytes(DType dtype) const {
    return static_cast<double>(large.numel() + small.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<ReduceCase> reduce_cases() {
  return {
      {{}, {}},
      {{1, 1}, {}},
      {{5}, {}},
      {{5}, {1}},
      {{131}, {}},
      {{100003}, {}},          // parts of parts
      {{7, 5, 3}, {7, 5, 3}},  // nothing to sum
      {{3, 5, 7, 2}, {2}},     // per channel
      {{41, 3, 7, 3}, {3}},
      {{4001, 64}, {64}},
      {{4001, 64}, {1, 64}},
      {{263, 67}, {67}},
      {{2000, 1}, {1}},
      {{9, 3001}, {3001}},  // wide rows: several tiles
      {{300, 1500}, {1500}},
      {{13, 3}, {13, 1}},  // per row
      {{5, 20011}, {5, 1}},
      {{4, 3, 5, 7}, {4, 1, 1, 7}},  // per image and channel
      {{3, 70, 70, 2}, {3, 1, 1, 2}},
      {{4, 3, 5, 7}, {4, 1, 5, 1}},  // two groups of axes
      {{2, 3, 4, 5, 6}, {3, 1, 5, 1}},
      {{6, 5, 4}, {6, 1, 4}},
      {{700, 3}, {700, 1}},  // many short rows
      {{99, 9, 8}, {99, 1, 8}},
      {{3, 2, 2500}, {3, 1, 2500}},
      {{1100, 263}, {263}},  // rows too long to be taken together
      {{0, 3}, {3}},         // no terms
      {{4, 0}, {4, 1}},
  };
}

}  // namespace imago::kernels
