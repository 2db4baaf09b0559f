// Layers made of layers, layers of shapes, and Embedding.
#include "golden_case.h"
#include "nn/layers.h"

namespace imago::test {
namespace {

constexpr const char* blocks = "blocks.safetensors";

// By what name goldens call them.
const std::vector<std::pair<const char*, nn::Activation>> activations{
    {"none", nn::Activation::none},
    {"relu", nn::Activation::relu},
    {"leaky_relu", nn::Activation::leaky_relu},
    {"tanh", nn::Activation::tanh},
    {"sigmoid", nn::Activation::sigmoid},
    {"gelu", nn::Activation::gelu},
    {"silu", nn::Activation::silu}};

// A block with batch norm; its running statistics change unless it is in evaluation mode.
LayerGolden block_golden(const std::string& name, nn::ConvBlock block) {
  const bool changes = block.training();
  return layer_golden(blocks, name, std::move(block),
                      {{"conv.weight", "w"}, {"norm.weight", "gamma"}, {"norm.bias", "beta"}},
                      {{"norm.running_mean", "mean_in"}, {"norm.running_var", "var_in"}},
                      {{"norm.running_mean", changes ? "mean" : "mean_in"},
                       {"norm.running_var", changes ? "var" : "var_in"}});
}

std::vector<LayerGolden> block_goldens() {
  const nn::ConvBlockOptions down{
      .in = 3, .out = 4, .kernel = 3, .stride = 2, .padding = Padding::same(1)};
  nn::ConvBlockOptions up = down;
  up.kernel = 4, up.transposed = true;
  std::vector<LayerGolden> all;
  for (const auto& [name, activation] : activations) {
    nn::ConvBlockOptions a = down, b = up;
    a.activation = b.activation = activation;
    all.push_back(block_golden(std::string("conv_block_") + name, nn::ConvBlock(a)));
    all.push_back(block_golden(std::string("conv_block_up_") + name, nn::ConvBlock(b)));
  }
  nn::ConvBlockOptions extra = up;
  extra.kernel = 3, extra.output_padding = 1, extra.activation = nn::Activation::silu;
  all.push_back(block_golden("conv_block_extra", nn::ConvBlock(extra)));
  nn::ConvBlockOptions keras = down;
  keras.eps = 1e-3, keras.momentum = 0.01, keras.unbiased = false;
  keras.activation = nn::Activation::relu;
  all.push_back(block_golden("conv_block_keras", nn::ConvBlock(keras)));
  nn::ConvBlockOptions gelu = down;
  gelu.activation = nn::Activation::gelu;
  nn::ConvBlock eval(gelu);
  eval.eval();
  all.push_back(block_golden("conv_block_eval", std::move(eval)));

  // Without batch norm, thus with a bias.
  nn::ConvBlockOptions plain = gelu;
  plain.bias = true, plain.batch_norm = false;
  const GoldenNames names{{"conv.weight", "w"}, {"conv.bias", "b"}};
  all.push_back(layer_golden(blocks, "conv_block_plain", nn::ConvBlock(plain), names));
  nn::ConvBlockOptions plain_up = up;
  plain_up.bias = true, plain_up.batch_norm = false, plain_up.activation = nn::Activation::silu;
  all.push_back(layer_golden(blocks, "conv_block_plain_up", nn::ConvBlock(plain_up), names));
  nn::ConvBlockOptions spectral = plain;
  spectral.spectral_norm = true, spectral.activation = nn::Activation::tanh;
  all.push_back(layer_golden(blocks, "conv_block_spectral", nn::ConvBlock(spectral),
                             {{"conv.weight_orig", "w"}, {"conv.bias", "b"}},
                             {{"conv.weight_u", "u_in"}, {"conv.weight_v", "v_in"}},
                             {{"conv.weight_u", "u"}, {"conv.weight_v", "v"}}));
  return all;
}

nn::Residual plain_residual() {
  nn::Sequential body;
  body.add(nn::Conv2d({.in = 3, .out = 3, .kernel = 3, .padding = Padding::same(1)}))
      .add(nn::Tanh());
  return nn::Residual(std::move(body));
}

nn::Residual shrinking_residual() {
  nn::Sequential body;
  body.add(nn::SiLU())
      .add(nn::Conv2d({.in = 2, .out = 3, .kernel = 3, .padding = Padding::same(1)}))
      .add(nn::AvgPool2d({.kernel = 2}));
  return nn::Residual(std::move(body),
                      nn::Conv2d({.in = 2, .out = 3, .kernel = 1, .stride = 2, .bias = false}));
}

nn::Sequential images_of_vectors() {
  nn::Sequential net;
  net.add(nn::Linear({.in = 5, .out = 18}))
      .add(nn::Reshape({.h = 2, .w = 3, .c = 3}))
      .add(nn::Conv2d({.in = 3, .out = 4, .kernel = 2, .bias = false}));
  return net;
}

}  // namespace

std::vector<LayerGolden> structure_layer_goldens() {
  std::vector<LayerGolden> all = block_goldens();
  all.push_back(layer_golden(blocks, "residual", plain_residual(),
                             {{"body.layers.0.weight", "w"}, {"body.layers.0.bias", "b"}}));
  all.push_back(layer_golden(
      blocks, "residual_shortcut", shrinking_residual(),
      {{"body.layers.1.weight", "w1"}, {"body.layers.1.bias", "b1"}, {"shortcut.weight", "w2"}}));
  all.push_back(layer_golden(
      blocks, "reshape", images_of_vectors(),
      {{"layers.0.weight", "w1"}, {"layers.0.bias", "b1"}, {"layers.2.weight", "w2"}}));
  all.push_back(layer_golden("catalogue.safetensors", "embedding",
                             nn::Embedding({.count = 6, .width = 4}), {{"weight", "w"}}));
  all.back().indices = true;
  return all;
}

std::vector<LayerGolden> all_layer_goldens() {
  std::vector<LayerGolden> all;
  for (const auto& kind :
       {convolution_layer_goldens(), norm_layer_goldens(), elementwise_layer_goldens(),
        image_layer_goldens(), structure_layer_goldens()}) {
    all.insert(all.end(), kind.begin(), kind.end());
  }
  return all;
}

}  // namespace imago::test
