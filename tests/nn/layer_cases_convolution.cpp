// Convolutions, their blocks, Linear and CosineLinear.
#include "layer_case.h"
#include "nn/conv2d.h"
#include "nn/conv_block.h"
#include "nn/conv_transpose2d.h"
#include "nn/cosine.h"
#include "nn/linear.h"

namespace imago::test {
namespace {

const Shape images{6, 16, 16, 48};

// The layer that takes `images` and, of the same kind, one that takes a few numbers.
template <class Layer, class Options>
std::vector<LayerCase> both(const std::string& layer, const std::string& name, Options o) {
  o.in = 48, o.out = 80, o.kernel = 4, o.stride = 2, o.padding = Padding::same(1);
  Options few = o;
  few.in = 2, few.out = 3, few.kernel = 2;
  return {layer_case<Layer>(layer, name, Size::large, images, o),
          layer_case<Layer>(layer, name, Size::small, Shape{2, 3, 2, 2}, few)};
}

}  // namespace

std::vector<LayerCase> convolution_layer_cases() {
  std::vector<LayerCase> cases =
      layer_cases<nn::Linear>("Linear", "", {3, 4}, {3, 4}, nn::LinearOptions{.in = 4, .out = 2});
  cases.back() = layer_case<nn::Linear>("Linear", "", Size::large, {90, 200},
                                        nn::LinearOptions{.in = 200, .out = 300});
  cases.push_back(layer_case<nn::Linear>("Linear", "no bias", Size::small, {2, 3},
                                         nn::LinearOptions{.in = 3, .out = 2, .bias = false}));
  append(cases, {layer_case<nn::CosineLinear>("CosineLinear", "", Size::small, {3, 4},
                                              nn::CosineLinearOptions{.in = 4, .out = 2}),
                 layer_case<nn::CosineLinear>("CosineLinear", "", Size::large, {90, 200},
                                              nn::CosineLinearOptions{.in = 200, .out = 300})});
  append(cases, both<nn::Conv2d>("Conv2d", "", nn::Conv2dOptions{}));
  append(cases, both<nn::ConvTranspose2d>("ConvTranspose2d", "", nn::ConvTranspose2dOptions{}));
  cases.push_back(layer_case<nn::Conv2d>(
      "Conv2d", "of images", Size::large, {6, 32, 32, 3},
      nn::Conv2dOptions{.in = 3, .out = 48, .kernel = 5, .padding = Padding::same(2)}));
  cases.push_back(layer_case<nn::ConvTranspose2d>(
      "ConvTranspose2d", "to images", Size::large, images,
      nn::ConvTranspose2dOptions{
          .in = 48, .out = 3, .kernel = 4, .stride = 2, .padding = Padding::same(1)}));
  cases.push_back(layer_case<nn::Conv2d>("Conv2d", "groups, dilation", Size::small, {1, 4, 3, 2},
                                         nn::Conv2dOptions{.in = 2,
                                                           .out = 2,
                                                           .kernel = 2,
                                                           .padding = {1, 0, 0, 2},
                                                           .dilation = 2,
                                                           .groups = 2,
                                                           .bias = false}));
  cases.push_back(layer_case<nn::ConvTranspose2d>(
      "ConvTranspose2d", "output padding, groups", Size::small, {1, 2, 2, 4},
      nn::ConvTranspose2dOptions{.in = 4,
                                 .out = 2,
                                 .kernel = 3,
                                 .stride = 2,
                                 .padding = {1, 1, 0, 1},
                                 .output_padding = 1,
                                 .groups = 2}));
  // Spectral norm's u and v stay as they are in evaluation mode alone.
  append(cases,
         {layer_case<nn::Linear>("Linear", "spectral norm", Size::small, {2, 3},
                                 nn::LinearOptions{.in = 3, .out = 4, .spectral_norm = true}),
          layer_case<nn::Conv2d>(
              "Conv2d", "spectral norm", Size::small, {1, 3, 3, 2},
              nn::Conv2dOptions{.in = 2, .out = 2, .kernel = 2, .spectral_norm = true}),
          layer_case<nn::ConvTranspose2d>(
              "ConvTranspose2d", "spectral norm", Size::small, {1, 2, 2, 2},
              nn::ConvTranspose2dOptions{.in = 2, .out = 2, .kernel = 2, .spectral_norm = true})});
  for (auto it = cases.end() - 3; it != cases.end(); ++it) {
    it->training = false;
    it->two_modes = true;
  }
  for (const bool transposed : {false, true}) {
    for (const auto activation :
         {nn::Activation::none, nn::Activation::relu, nn::Activation::leaky_relu,
          nn::Activation::tanh, nn::Activation::sigmoid, nn::Activation::gelu,
          nn::Activation::silu}) {
      for (LayerCase c : both<nn::ConvBlock>(
               "ConvBlock",
               std::string(transposed ? "transposed, " : "") + "activation " +
                   std::to_string(static_cast<int>(activation)),
               nn::ConvBlockOptions{.transposed = transposed, .activation = activation})) {
        c.two_modes = true;
        cases.push_back(c);
      }
    }
  }
  return cases;
}

}  // namespace imago::test
