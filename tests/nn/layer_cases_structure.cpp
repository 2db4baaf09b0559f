// Layers made of layers, layers of shapes, and Embedding.
#include "layer_case.h"
#include "nn/layers.h"

namespace imago::test {
namespace {

nn::Conv2d conv3(int in, int out) {
  return nn::Conv2d({.in = in, .out = out, .kernel = 3, .padding = Padding::same(1)});
}

std::shared_ptr<nn::Module> sequence(int channels) {
  auto net = std::make_shared<nn::Sequential>();
  net->add(conv3(channels, 2)).add(nn::Dropout({.p = 0.3})).add(nn::SiLU());
  return net;
}

std::shared_ptr<nn::Module> plain_residual(int channels) {
  nn::Sequential body;
  body.add(conv3(channels, channels)).add(nn::Tanh());
  return std::make_shared<nn::Residual>(std::move(body));
}

std::shared_ptr<nn::Module> shrinking_residual(int channels) {
  nn::Sequential body;
  body.add(nn::SiLU()).add(conv3(channels, 3)).add(nn::AvgPool2d());
  return std::make_shared<nn::Residual>(
      std::move(body),
      nn::Conv2d({.in = channels, .out = 3, .kernel = 1, .stride = 2, .bias = false}));
}

LayerCase made(const std::string& layer, const std::string& name, Size size, const Shape& x,
               std::shared_ptr<nn::Module> (*make)(int)) {
  const int channels = static_cast<int>(x[-1]);
  return {
      .layer = layer, .name = name, .size = size, .make = [=] { return make(channels); }, .x = x};
}

}  // namespace

std::vector<LayerCase> structure_layer_cases() {
  const Shape few{2, 2, 2, 2}, images{6, 16, 16, 48};
  std::vector<LayerCase> cases;
  for (const Size size : {Size::small, Size::large}) {
    const Shape x = size == Size::small ? few : images;
    cases.push_back(made("Sequential", "", size, x, sequence));
    cases.back().two_modes = true;
    cases.push_back(made("Residual", "", size, x, plain_residual));
    cases.push_back(made("Residual", "with a shortcut", size, x, shrinking_residual));
  }
  append(cases, layer_cases<nn::Flatten>("Flatten", "", few, images));
  append(cases, {layer_case<nn::Reshape>("Reshape", "", Size::small, {2, 6},
                                         nn::ReshapeOptions{.h = 1, .w = 2, .c = 3}),
                 layer_case<nn::Reshape>("Reshape", "", Size::large, {600, 1200},
                                         nn::ReshapeOptions{.h = 10, .w = 10, .c = 12})});
  for (auto it = cases.end() - 4; it != cases.end(); ++it) it->shared = false;
  const auto embedding = [&](Size size, const Shape& x, int count, int width) {
    cases.push_back(layer_case<nn::Embedding>(
        "Embedding", "", size, x, nn::EmbeddingOptions{.count = count, .width = width}));
    cases.back().indices = count;
  };
  embedding(Size::small, {2, 3}, 4, 2);
  embedding(Size::large, {900, 30}, 700, 48);
  return cases;
}

}  // namespace imago::test
