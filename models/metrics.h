// Distances between sets of images, or of features of them. None of them is FID, which needs the
// Inception network.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::models {

// Sliced Wasserstein-1 distance between two sets of equally many samples: the mean over random unit
// directions of the mean absolute difference of the sorted projections (Rabin et al. 2011; Bonneel
// et al. 2015). a, b (N, ...) f32 of one shape, N >= 2; each sample is flattened. A constant shift
// of all values by s counts about sqrt(2 / pi) s, whatever the image size. A pure function of its
// arguments.
double sliced_wasserstein(const Tensor& a, const Tensor& b, int projections = 512,
                          std::uint64_t seed = 1);

// The same along given directions (K, D), f32 or f64, each of length 1 to 1e-3, of sets whose
// numbers may differ: a (N, ...) and b (M, ...), N and M >= 2, both f32 or both f64, of D values a
// sample. For each direction the area between the two quantile functions, which with N = M is the
// mean above. Projections are computed in the dtype of the samples, all else in f64. Throws on what
// is not finite. Deterministic, for any number of threads.
double sliced_wasserstein(const Tensor& a, const Tensor& b, const Tensor& directions);

// Random directions of length 1: (count, D), f32 on the CPU. A pure function of its arguments, so
// that scores along them compare.
Tensor unit_directions(std::int64_t count, std::int64_t D, std::uint64_t seed);

// The mean Euclidean distance over all pairs of different samples, divided by sqrt(D): a generator
// that always draws one picture scores 0. x (N, ...) f32, N >= 2.
double mean_pairwise_distance(const Tensor& x);

}  // namespace imago::models
