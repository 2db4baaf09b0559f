#include "nn/conv_block.h"

namespace imago::nn {

ConvBlock::ConvBlock(const ConvBlockOptions& o) : options_(o) {
  check(o.transposed || o.output_padding == 0, "ConvBlock",
        "output_padding belongs to a transposed convolution");
  if (o.transposed) {
    conv_ = add_child("conv", ConvTranspose2d({.in = o.in,
                                               .out = o.out,
                                               .kernel = o.kernel,
                                               .stride = o.stride,
                                               .padding = o.padding,
                                               .output_padding = o.output_padding,
                                               .bias = o.bias,
                                               .spectral_norm = o.spectral_norm}));
  } else {
    conv_ = add_child("conv", Conv2d({.in = o.in,
                                      .out = o.out,
                                      .kernel = o.kernel,
                                      .stride = o.stride,
                                      .padding = o.padding,
                                      .bias = o.bias,
                                      .spectral_norm = o.spectral_norm}));
  }
  if (o.batch_norm) {
    norm_ = add_child(
        "norm",
        BatchNorm2d(
            {.channels = o.out, .eps = o.eps, .momentum = o.momentum, .unbiased = o.unbiased}));
  }
}

BatchNorm2d& ConvBlock::norm() const {
  check(norm_ != nullptr, "ConvBlock", "this block has no batch norm");
  return *norm_;
}

Var ConvBlock::forward(const Var& x) {
  const Var y = (*conv_)(x);
  const Activation activation = options_.activation;
  if (!norm_) return activate(y, activation, options_.slope);
  if (activation == Activation::relu) return norm_->forward_lrelu(y, 0);
  if (activation == Activation::leaky_relu) return norm_->forward_lrelu(y, options_.slope);
  return activate((*norm_)(y), activation, options_.slope);
}

}  // namespace imago::nn
