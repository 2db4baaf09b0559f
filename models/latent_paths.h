// Paths through a latent space, for pictures: each row of the result is one z.
#pragma once

#include "tensor/tensor.h"

namespace imago::models {

enum class LatentPath {
  linear,
  // On the arc between the directions of both ends, the length changing linearly: samples of a
  // normal in many dimensions all have about the same length, and the straight way leads through
  // the middle, where none are (White 2016, arXiv 1609.04468).
  spherical
};

// From a to b (Z), both included, in equal parts: (count, Z), count >= 2. f32, on the device of the
// Context. Spherical is linear where the ends are parallel, opposite or zero, for then there is no
// one arc.
Tensor interpolate(const Tensor& a, const Tensor& b, int count, LatentPath path);

// z (Z) with one latent replaced by `count` values from low to high, both included: (count, Z),
// count >= 2. f32, on the device of the Context.
Tensor traverse(const Tensor& z, int latent, double low, double high, int count);

}  // namespace imago::models
