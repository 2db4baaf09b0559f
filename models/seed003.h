// "seed003": the classic DCGAN at 32x32 with base 64 and z = 100. Where its author ends the
// discriminator with a sigmoid and a cross-entropy of probabilities, the sigmoid is part of the
// loss here.
#pragma once

#include "nn/sequential.h"

namespace imago::models {

// z (N, 100) -> images (N, 32, 32, 3) in [-1, 1]; 1,068,928 trainable parameters.
nn::Sequential seed003_generator();

// Images (N, 32, 32, 3) -> logits (N, 1); 663,296 trainable parameters.
nn::Sequential seed003_discriminator();

}  // namespace imago::models
