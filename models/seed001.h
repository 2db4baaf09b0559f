// The DCGAN of seed document 001, 32x32, with the defaults of the framework it was written for:
// LeakyReLU slope 0.3, batch norm with eps 1e-3 and running = 0.99 old + 0.01 new, Glorot-uniform
// weights. The document asserts maps of 8x8 and 4x4 in the discriminator;
// at 32x32 they are 16x16 and 8x8.
#pragma once

#include "nn/sequential.h"

namespace imago::models {

// z (N, 100) -> images (N, 32, 32, channels) in [-1, 1]; 3,463,936 trainable parameters.
nn::Sequential seed001_generator(int channels = 3);

// Images (N, 32, 32, channels) -> logits (N, 1); 142,529 trainable parameters.
nn::Sequential seed001_discriminator(int channels = 3);

}  // namespace imago::models
