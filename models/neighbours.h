// Nearest neighbours among features, and the scores made of them: precision and recall, density and
// coverage.
//
// Distances are Euclidean. Products of whole blocks (kernels/gemm) say roughly which samples are
// near, in f32 and about the mean of the second set; what that leaves open is decided by distances
// in f64, so equal features are exactly 0 apart and ties are ties. Memory grows with N + M, not
// with N M. Deterministic, for any number of threads.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::models {

struct Neighbours {
  Tensor index;     // (N, k), i64: rows of the base, nearest first
  Tensor distance;  // (N, k), f64
};

// The k nearest rows of base (M, D) for each query (N, D); of equally near ones those that come
// first in the base. f32 or f64; 1 <= k <= M. Where more than k + 16 rows of the base lie within
// rounding of each other, a distance may be that of another of them.
Neighbours nearest_neighbours(const Tensor& queries, const Tensor& base, int k);

// A set is described by the balls around its samples x_i whose radius R_i reaches the k-th nearest
// other sample of the set (at most: a ball holds its border).
//   precision  the share of fakes inside a ball of a real one    (Kynkäänniemi et al. 2019, arXiv
//   recall     the share of reals inside a ball of a fake        1904.06991, eq. 1 and 2)
//   density    the mean number of real balls that a fake is in, divided by k; can be above 1
//   coverage   the share of real balls with a fake inside         (Naeem et al. 2020, arXiv
//                                                                 2002.09797, eq. 3 and 4)
// Equal distributions have a density near 1 and a coverage near 1 - 2^-k; their precision and
// recall depend on k and D. The papers use k = 3 and k = 5.
struct ManifoldScores {
  double precision = 0, recall = 0, density = 0, coverage = 0;
  int k = 0;
};

// fake (N, D), real (M, D), f32 or f64, each with more than k samples; k >= 1.
ManifoldScores manifold_scores(const Tensor& fake, const Tensor& real, int k = 5);

}  // namespace imago::models
