// What the tiled and blocked engines of conv2d have in common on the host.
#pragma once

#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace imago::kernels {

// A kernel that covers its input is a matrix product: x (N, H * W * C) times w (K, R * S * C), in
// the memory order that they have already. Seen as a convolution it would be a poor one: in the
// input gradient each pixel has one tap out of R * S. This is the last layer of a discriminator and
// the first of a generator.
inline Conv2dProblem as_product(const Conv2dProblem& p) {
  const Padding& pad = p.params.pad;
  const bool covers = p.R == p.H && p.S == p.W && pad == Padding{};
  if (!covers) return p;
  Conv2dProblem product = p;
  product.C = p.H * p.W * p.C;
  product.H = product.W = product.R = product.S = 1;
  product.params = {};
  return product;
}

}  // namespace imago::kernels
