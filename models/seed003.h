// The DCGAN of seed document 003, 32x32: the classic family with base 64 and z = 100, and channel
// counts as the document gives them. Its sigmoid is part of the loss here.
#pragma once

#include "nn/sequential.h"

namespace imago::models {

// z (N, 100) -> images (N, 32, 32, 3) in [-1, 1]; 1,068,928 trainable parameters.
nn::Sequential seed003_generator();

// Images (N, 32, 32, 3) -> logits (N, 1); 663,296 trainable parameters.
nn::Sequential seed003_discriminator();

}  // namespace imago::models
