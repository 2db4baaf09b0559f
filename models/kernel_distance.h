// The kernel distance between two sets of features: the estimator of Bińkowski et al. 2018 (arXiv
// 1801.01401), known as KID with the Inception network, here on whatever features are given.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::models {

struct KernelDistance {
  double value = 0;         // the mean over the blocks; near 0, or below, for equal distributions
  double error = 0;         // standard error of that mean; NaN for a single block
  std::int64_t blocks = 0;  // B
  std::int64_t block = 0;   // n, samples of each set in a block
};

// The squared maximum mean discrepancy under the kernel k(x, y) = (x . y / D + 1)^3, without bias
// (Gretton et al. 2012, JMLR 13, eq. 3), in blocks of n samples that share none:
//
//   sum_{i != j} k(x_i, x_j) / (n (n - 1)) + sum_{i != j} k(y_i, y_j) / (n (n - 1))
//     - 2 sum_{i, j} k(x_i, y_j) / n^2
//
// fake (N, D), real (M, D), f32 or f64, in random order; n = min(block, N, M), which must be 2 or
// more, and B = min(N, M) / n: what does not fill a block is left out. f64, for a distance is a
// small difference of large sums. Deterministic, for any number of threads.
KernelDistance kernel_distance(const Tensor& fake, const Tensor& real, std::int64_t block = 1000);

}  // namespace imago::models
