// The Fréchet distance between two sets of features, each taken as a Gaussian.
//
//   d = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))
//
// (Fréchet 1957; Dowson & Landau 1982, eq. 16): the square of a distance, in squared units of the
// features. Heusel et al. 2017 (arXiv 1706.08500) use it with the Inception network; here it is on
// whatever features are given, so its values compare with those of the same network and of as many
// samples only.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/tensor.h"

namespace imago::models {

struct Gaussian {
  std::int64_t count = 0;  // N, the samples it was estimated from
  Tensor mean;             // (D), f64 on the CPU
  Tensor covariance;       // (D, D), divided by N - 1
};

// Of features (N, D), f32 or f64, N >= 2. Where N <= D the covariance has no full rank, which the
// distance below can take, but it is then far from that of the distribution.
Gaussian gaussian_of(const Tensor& features);

// 0 or more. The trace of (S1 S2)^(1/2) is the sum of the singular values of S1^(1/2) S2^(1/2):
// roots of symmetric matrices only, and a product whose small singular values are not squared away,
// so that covariances without full rank are no trouble. f64. Throws when the dimensions differ.
double frechet_distance(const Gaussian& a, const Gaussian& b);
double frechet_distance(const Tensor& a, const Tensor& b);  // of features (N, D) and (M, D)

// How much of a distance is due to the number of samples. An estimate from n samples is too large
// by about c / n (Chong & Forsyth 2020, arXiv 1911.07023), so it is computed for quarters, halves
// and the whole of both sets, and a straight line over 1 / n leads to n = infinity.
struct FrechetBySize {
  std::array<std::int64_t, 3> samples{};  // of the fakes: N / 4, N / 2, N
  std::array<double, 3> distance{};       // the mean of four, of two, and the distance itself
  double at_infinity = 0;                 // may be a little below 0; trust it where N / 4 > D
};

// fake (N, D) and real (M, D) in random order, at least 8 of each: the parts are rows next to each
// other.
FrechetBySize frechet_by_size(const Tensor& fake, const Tensor& real);

}  // namespace imago::models
