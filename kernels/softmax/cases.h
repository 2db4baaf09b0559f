// Cases that drive the tests and the bench of softmax.
#pragma once

#include <vector>

#include "kernels/softmax/softmax.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct SoftmaxCase {
  Shape x;
  int axis;

  // Largest error where results are up to `scale` in magnitude.
  double tolerance(DType dtype, double scale) const {
    return 4 * sum_tolerance(dtype, dtype, x[axis], scale) + 8 * epsilon(acc_dtype(dtype)) * scale;
  }
  // One argument (or two) is read, the result written.
  double bytes(DType dtype, bool gradient) const {
    return (gradient ? 3.0 : 2.0) * static_cast<double>(x.numel()) *
           static_cast<double>(size_of(dtype));
  }
};

inline std::vector<SoftmaxCase> softmax_cases() {
  return {
      {{1}, 0},           {{5}, -1},
      {{70, 10}, 1},  // short rows, more than a tile of them
      {{3, 31}, 1},       {{3, 32}, -1},
      {{2, 131}, 1},      {{9, 257}, 1},
      {{3, 1500}, 1},  // a block for each row
      {{2, 1024}, 1},     {{2, 1028}, 1},
      {{7, 3}, 0},        {{2, 9, 70}, 1},  // more than a tile of columns
      {{3, 5, 7, 11}, 1}, {{3, 5, 7, 11}, -2},
      {{2, 300, 2}, 1},
  };
}

}  // namespace imago::kernels
