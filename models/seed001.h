// "seed001": a 32x32 DCGAN that starts from a dense layer and drops out in the discriminator, with
// Keras' defaults: LeakyReLU slope 0.3, batch norm with eps 1e-3 and running = 0.99 old + 0.01 new
// of the uncorrected variance, Glorot-uniform weights.
#pragma once

#include "nn/sequential.h"

namespace imago::models {

// z (N, 100) -> images (N, 32, 32, channels) in [-1, 1]; 3,463,936 trainable parameters.
nn::Sequential seed001_generator(int channels = 3);

// Images (N, 32, 32, channels) -> logits (N, 1); 142,529 trainable parameters.
nn::Sequential seed001_discriminator(int channels = 3);

}  // namespace imago::models
