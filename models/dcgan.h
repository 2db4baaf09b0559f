// The classic DCGAN family: Radford, Metz, Chintala, "Unsupervised Representation Learning with
// Deep Convolutional Generative Adversarial Networks" (2015, arXiv 1511.06434), for images of 16,
// 32, 64 or 128 pixels; a discriminator takes 8 too. Weights start as N(0, 0.02), batch-norm scales
// as N(1, 0.02); those under spectral norm, which takes their scale out again, as layers start by
// themselves.
#pragma once

#include <optional>

#include "kernels/resample/resample.h"
#include "nn/sequential.h"

namespace imago::models {

struct DcganOptions {
  int z = 100;     // length of the noise vector (generator only)
  int base = 64;   // channels at half the image size; they double at each halving
  int image = 64;  // height and width: a power of two from 16 to 128, for a discriminator from 8
  int channels = 3;
  // How the generator doubles: by transposed convolutions, or by resampling with this filter and
  // then a 3x3 convolution, whose every pixel is made by the same sum of weights: the cure for
  // checkerboards (Odena et al. 2016, doi 10.23915/distill.00003).
  std::optional<Filter> upsample = {};
  // The discriminator's convolutions have spectral norm and biases, and no batch norm follows them
  // (Miyato et al. 2018, arXiv 1802.05957): what it says of an image depends on that image alone,
  // as hinge losses, WGAN-GP and R1 need it.
  bool spectral_norm = false;
};

// z (N, z) -> images (N, image, image, channels) in [-1, 1]. Transposed convolutions k4: the first
// from 1x1 to 4x4, then doubling (or resampling and convolutions k3 p1, see `upsample`); batch norm
// and ReLU between, tanh at the end; no biases.
nn::Sequential dcgan_generator(const DcganOptions& options = {});

// Images -> logits (N, 1). Convolutions k4 s2 p1 down to 4x4, LeakyReLU 0.2, batch norm on all but
// the first, then k4 to one logit; no biases. `spectral_norm` changes that. The sigmoid belongs to
// the loss.
nn::Sequential dcgan_discriminator(const DcganOptions& options = {});

}  // namespace imago::models
