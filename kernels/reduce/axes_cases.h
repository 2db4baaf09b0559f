// Cases that drive the tests and the bench of the reductions over a set of axes.
#pragma once

#include <vector>

#include "kernels/reduce/axes.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct AxesCase {
  Shape x;
  AxisList axes;

  // Largest error of a sum, norm or logarithm of a sum of `terms` elements of about `scale` when
  // joined; the last is an absolute error, of the size of its result or of 1.
  double tolerance(DType dtype, double scale) const {
    return 4 * sum_tolerance(dtype, dtype, reduced_terms("axes", x, axes), std::fmax(scale, 1.0)) +
           epsilon(dtype) * std::fmax(scale, 1.0);
  }
  // x is read; results are small.
  double bytes(DType dtype) const {
    return static_cast<double>(x.numel()) * static_cast<double>(size_of(dtype));
  }
};

inline std::vector<AxesCase> axes_cases() {
  return {
      {{1}, {0}},
      {{7, 5}, {}},
      {{33003}, {0}},  // several parts
      {{7, 5, 3}, {1}},
      {{3, 5, 7, 2}, {0, 1, 2}},  // per channel
      {{1301, 64}, {0}},
      {{263, 67}, {0}},
      {{9, 3001}, {0}},  // wide rows: several tiles
      {{13, 3}, {-1}},   // per row
      {{31, 64}, {1}},
      {{5, 150}, {1}},
      {{2, 9001}, {1}},
      {{4, 3, 5, 7}, {1, 2}},    // per image and channel
      {{4, 3, 5, 7}, {-3, -1}},  // two groups of axes, apart
      {{2, 3, 4, 5, 6}, {4, 0, 2}},
      {{1, 6, 1, 4}, {0, 2}},  // nothing to join
      {{700, 3, 2}, {1}},      // many short columns
      {{99, 9, 8}, {1}},
      {{1100, 37}, {0}},  // rows left over by folding
  };
}

}  // namespace imago::kernels
