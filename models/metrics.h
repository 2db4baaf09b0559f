// Distances between sets of images. None of them is FID, which needs the Inception network.
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

// The mean Euclidean distance over all pairs of different samples, divided by sqrt(D): a generator
// that always draws one picture scores 0. x (N, ...) f32, N >= 2.
double mean_pairwise_distance(const Tensor& x);

}  // namespace imago::models
