// Problems that drive the tests and the bench of gemm.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/gemm/gemm.h"
#include "kernels/tolerance.h"

namespace imago::kernels {

struct GemmCase {
  std::int64_t M, N, K;

  double flops() const {
    return 2.0 * static_cast<double>(M) * static_cast<double>(N) * static_cast<double>(K);
  }
  // Every operand read once, the result written once.
  double bytes(DType dtype) const {
    return static_cast<double>(M * K + K * N + M * N) * static_cast<double>(size_of(dtype));
  }
  double tolerance(DType dtype, double scale) const {
    return sum_tolerance(dtype, dtype, K, scale);
  }
};

inline std::vector<GemmCase> gemm_cases() {
  return {
      {1, 1, 1},      {1, 1, 37},   {1, 33, 5},   {29, 1, 7},    {2, 3, 4},     {7, 5, 3},
      {14, 32, 16},   {13, 31, 17}, {15, 33, 1},  {43, 67, 129}, {97, 19, 300}, {1, 130, 600},
      {470, 471, 20}, {5, 1, 1000}, {37, 3, 640}, {66, 68, 300}, {64, 36, 260},
  };
}

}  // namespace imago::kernels
