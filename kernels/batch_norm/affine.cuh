// What forward and backward pass must agree on to the bit.
#pragma once

#include "kernels/launch.h"

namespace imago::kernels {

// The normalised, scaled and shifted value, scale = gamma * invstd. Both passes call this one
// function, so that the backward pass sees the sign the forward pass saw.
template <class A>
__device__ A pre_activation(A x, A mean, A scale, A beta) {
  return fma(x - mean, scale, beta);
}

// dz: the gradient dy at the value z before the activation.
template <class A>
__device__ A gradient_before(A z, A dy, A slope) {
  return z > 0 ? dy : slope * dy;
}

}  // namespace imago::kernels
