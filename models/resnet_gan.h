// Residual GANs: the generator of Gulrajani et al. 2017 (arXiv 1704.00028, appendix C) and the
// spectrally normalised discriminator of Miyato et al. 2018 (arXiv 1802.05957, appendix B.4), for
// images of 8, 16, 32, 64 or 128 pixels. Blocks carry their input past their convolutions, so
// gradients reach every depth; sizes change by nearest neighbours and by means, which leave no
// checkerboards.
#pragma once

#include "nn/residual.h"
#include "nn/sequential.h"

namespace imago::models {

struct ResnetGanOptions {
  int z = 128;     // length of the noise vector (generator only)
  int base = 64;   // channels at the full image size; they double at each halving
  int image = 32;  // height and width: a power of two from 8 to 128
  int channels = 3;
};

// How often 4x4 doubles on the way to the image. Throws, naming `op`, for options out of range.
int resnet_doublings(const char* op, const ResnetGanOptions& options);
// Channels of the 4x4 images that G starts from, and features of an image that D ends with.
int resnet_width(const ResnetGanOptions& options);

// z (N, z) -> images (N, image, image, channels) in [-1, 1]. A linear layer to 4x4, an up block for
// each doubling, batch norm, ReLU, 3x3 convolution, tanh. Convolutions before a batch norm have no
// biases, for it would take them away again. Weights start as Xavier's (gain sqrt 2 before a ReLU).
nn::Sequential resnet_generator(const ResnetGanOptions& options = {});

// Images -> logits (N, 1), for any loss: features, then a linear layer, all of spectral norm.
nn::Sequential resnet_discriminator(const ResnetGanOptions& options = {});

// Images -> (N, resnet_width): a down block for each halving to 4x4, one block more, ReLU, and the
// sum over the image. Spectral norm, no batch norm: what D says of an image depends on that image
// alone, as gradient penalties need it. Weights start as those of nn::Conv2d, whose scale spectral
// norm takes out again, and biases at 0, so that all that D says at first comes from the image.
nn::Sequential resnet_features(const ResnetGanOptions& options = {});

// x (N, H, W, in) -> (N, 2 H, 2 W, out): batch norm, ReLU, nearest doubling, convolution 3x3, batch
// norm, ReLU, convolution 3x3; beside them a convolution 1x1, then the doubling.
nn::Residual resnet_up_block(int in, int out);

struct ResnetDownOptions {
  int in = 0;
  int out = 0;
  bool halve = true;
  bool first = false;  // of a network: images get no ReLU, and widen at once
};

// x (N, H, W, in) -> (N, H / 2, W / 2, out), or (N, H, W, out): ReLU, convolution 3x3, ReLU,
// convolution 3x3, mean of 2x2; beside them the mean and a convolution 1x1, or x itself where
// nothing changes its shape. All convolutions have biases and spectral norm.
nn::Residual resnet_down_block(const ResnetDownOptions& options);

// The sum of each channel over the whole image: (N, H, W, C) -> (N, C).
class SumPool2d final : public nn::Module {
 public:
  Var forward(const Var& x) override;
};

}  // namespace imago::models
