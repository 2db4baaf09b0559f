// Layers made of a single operation.
#include "golden_case.h"
#include "nn/layers.h"

namespace imago::test {
namespace {

constexpr const char* basic = "layers.safetensors";
constexpr const char* catalogue = "catalogue.safetensors";
constexpr const char* blocks = "blocks.safetensors";

const GoldenNames& only_weight() {
  static const GoldenNames names{{"weight", "w"}};
  return names;
}

// Batch norm, alone or below `prefix` in `layer`.
template <class Layer>
LayerGolden batch_norm(const std::string& name, Layer layer, bool changes = true,
                       const std::string& var_after = "var", const std::string& prefix = "") {
  const std::string mean = prefix + "running_mean", var = prefix + "running_var";
  return layer_golden(
      basic, name, std::move(layer), {{prefix + "weight", "gamma"}, {prefix + "bias", "beta"}},
      {{mean, "mean_in"}, {var, "var_in"}},
      {{mean, changes ? "mean" : "mean_in"}, {var, changes ? var_after : "var_in"}});
}

}  // namespace

std::vector<LayerGolden> convolution_layer_goldens() {
  const Padding one = Padding::same(1);
  nn::Sequential flatten;
  flatten.add(nn::Flatten()).add(nn::Linear({.in = 60, .out = 6}));
  return {
      layer_golden(basic, "linear", nn::Linear({.in = 7, .out = 4})),
      layer_golden(blocks, "linear_plain", nn::Linear({.in = 7, .out = 4, .bias = false}),
                   only_weight()),
      layer_golden("margins.safetensors", "cosine_linear", nn::CosineLinear({.in = 6, .out = 5}),
                   only_weight()),
      layer_golden(basic, "flatten_linear", std::move(flatten),
                   {{"layers.1.weight", "w"}, {"layers.1.bias", "b"}}),
      layer_golden(basic, "conv2d",
                   nn::Conv2d({.in = 3, .out = 5, .kernel = 4, .stride = 2, .padding = one})),
      layer_golden(basic, "conv2d_asymmetric",
                   nn::Conv2d({.in = 3,
                               .out = 4,
                               .kernel = 3,
                               .stride = 2,
                               .padding = {.top = 0, .bottom = 1, .left = 2, .right = 1}})),
      layer_golden(blocks, "conv2d_plain",
                   nn::Conv2d({.in = 4,
                               .out = 6,
                               .kernel = 3,
                               .stride = 2,
                               .padding = Padding::same(2),
                               .dilation = 2,
                               .groups = 2,
                               .bias = false}),
                   only_weight()),
      layer_golden(
          basic, "conv_transpose2d",
          nn::ConvTranspose2d({.in = 5, .out = 3, .kernel = 4, .stride = 2, .padding = one})),
      layer_golden(
          basic, "conv_transpose2d_extra",
          nn::ConvTranspose2d(
              {.in = 4, .out = 2, .kernel = 3, .stride = 2, .padding = one, .output_padding = 1})),
      layer_golden(basic, "conv_transpose2d_groups",
                   nn::ConvTranspose2d({.in = 4,
                                        .out = 6,
                                        .kernel = 3,
                                        .stride = 2,
                                        .padding = one,
                                        .dilation = 2,
                                        .groups = 2})),
      layer_golden(
          basic, "conv_transpose2d_same",
          nn::ConvTranspose2d({.in = 3,
                               .out = 2,
                               .kernel = 3,
                               .stride = 2,
                               .padding = {.top = 0, .bottom = 1, .left = 0, .right = 1}})),
      layer_golden(basic, "conv_transpose2d_1x1",
                   nn::ConvTranspose2d({.in = 6, .out = 5, .kernel = 4})),
      layer_golden(
          blocks, "conv_transpose2d_plain",
          nn::ConvTranspose2d({.in = 4, .out = 3, .kernel = 2, .stride = 2, .bias = false}),
          only_weight()),
  };
}

std::vector<LayerGolden> norm_layer_goldens() {
  nn::BatchNorm2d groups({.channels = 5}), eval({.channels = 5});
  groups.set_stat_groups(2);
  eval.eval();
  nn::Sequential composite;
  composite.add(nn::BatchNorm2d({.channels = 5})).add(nn::LeakyReLU({.slope = 0.2}));
  const auto keras = [](bool unbiased) {
    return nn::BatchNorm2d({.channels = 5, .eps = 1e-3, .momentum = 0.01, .unbiased = unbiased});
  };
  return {
      batch_norm("batch_norm", nn::BatchNorm2d({.channels = 5})),
      batch_norm("batch_norm_2d", nn::BatchNorm2d({.channels = 5})),
      batch_norm("batch_norm_keras", keras(true)),
      batch_norm("batch_norm_keras", keras(false), true, "var_biased"),
      batch_norm("batch_norm_groups", std::move(groups)),
      batch_norm("batch_norm_eval", std::move(eval), false),
      batch_norm("batch_norm_lrelu", std::move(composite), true, "var", "layers.0."),
      layer_golden(catalogue, "layer_norm", nn::LayerNorm({.shape = {5}})),
      layer_golden(catalogue, "layer_norm_images",
                   nn::LayerNorm({.shape = {3, 2, 4}, .eps = 1e-3})),
      layer_golden(blocks, "layer_norm_plain", nn::LayerNorm({.shape = {6}, .affine = false}), {}),
      layer_golden(catalogue, "group_norm", nn::GroupNorm({.groups = 3, .channels = 6})),
      layer_golden(blocks, "group_norm_plain",
                   nn::GroupNorm({.groups = 2, .channels = 6, .affine = false}), {}),
      layer_golden(catalogue, "instance_norm", nn::InstanceNorm2d({.channels = 3}), {}),
      layer_golden(catalogue, "instance_norm_affine",
                   nn::InstanceNorm2d({.channels = 3, .affine = true})),
  };
}

std::vector<LayerGolden> elementwise_layer_goldens() {
  return {
      layer_golden(basic, "relu", nn::ReLU(), {}),
      layer_golden(basic, "leaky_relu", nn::LeakyReLU({.slope = 0.2}), {}),
      layer_golden(basic, "tanh", nn::Tanh(), {}),
      layer_golden(basic, "sigmoid", nn::Sigmoid(), {}),
      layer_golden(basic, "softplus", nn::Softplus(), {}),
      layer_golden(catalogue, "gelu", nn::GELU(), {}),
      layer_golden(catalogue, "gelu_tanh", nn::GELU({.form = ops::Gelu::tanh}), {}),
      layer_golden(catalogue, "silu", nn::SiLU(), {}),
      layer_golden(catalogue, "softplus", nn::Softplus(), {}),
      layer_golden(catalogue, "clamp", nn::Clamp({.low = -1.5, .high = 0.75}), {}),
      layer_golden(catalogue, "prelu", nn::PReLU(), only_weight()),
      layer_golden(catalogue, "prelu_channels", nn::PReLU({.channels = 4}), only_weight()),
      layer_golden(catalogue, "softmax", nn::Softmax(), {}),
      layer_golden(catalogue, "softmax_rows", nn::Softmax({.axis = 1}), {}),
      layer_golden(catalogue, "log_softmax", nn::LogSoftmax(), {}),
      layer_golden(blocks, "log_softmax_rows", nn::LogSoftmax({.axis = 1}), {}),
  };
}

std::vector<LayerGolden> image_layer_goldens() {
  const Padding one = Padding::same(1), sides{.top = 0, .bottom = 3, .left = 2, .right = 1};
  const auto upsample = [](const std::string& name, const nn::UpsampleOptions& options) {
    return layer_golden(catalogue, name, nn::Upsample(options), {});
  };
  const Filter bilinear = Filter::bilinear, antialias = Filter::bilinear_antialias;
  return {
      layer_golden(catalogue, "max_pool", nn::MaxPool2d({.kernel = 3, .stride = 2, .padding = one}),
                   {}),
      layer_golden(catalogue, "max_pool_dilated",
                   nn::MaxPool2d({.kernel = 2, .stride = 1, .dilation = 2}), {}),
      layer_golden(catalogue, "avg_pool", nn::AvgPool2d({.kernel = 3, .stride = 2, .padding = one}),
                   {}),
      layer_golden(
          catalogue, "avg_pool_image",
          nn::AvgPool2d({.kernel = 3, .stride = 2, .padding = one, .count_include_pad = false}),
          {}),
      layer_golden(catalogue, "global_avg_pool", nn::GlobalAvgPool2d(), {}),
      layer_golden(catalogue, "global_max_pool", nn::GlobalMaxPool2d(), {}),
      upsample("nearest", {.factor = 3}),
      upsample("nearest_size", {.height = 7, .width = 3}),
      upsample("bilinear", {.factor = 2, .filter = bilinear}),
      upsample("bilinear_size", {.height = 7, .width = 3, .filter = bilinear}),
      upsample("antialias", {.height = 4, .width = 3, .filter = antialias}),
      layer_golden(catalogue, "pad", nn::Pad({.padding = sides, .value = 0.5}), {}),
      layer_golden(catalogue, "pad_reflect",
                   nn::Pad({.padding = sides, .mode = nn::PadMode::reflect}), {}),
  };
}

}  // namespace imago::test
