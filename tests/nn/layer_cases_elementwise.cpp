// Activations and Dropout.
#include "layer_case.h"
#include "nn/activations.h"
#include "nn/dropout.h"
#include "nn/prelu.h"

namespace imago::test {

std::vector<LayerCase> elementwise_layer_cases() {
  const Shape few{3, 2, 2}, images{6, 16, 16, 48};
  std::vector<LayerCase> cases;
  append(cases, layer_cases<nn::ReLU>("ReLU", "", few, images));
  append(cases, layer_cases<nn::LeakyReLU>("LeakyReLU", "", few, images,
                                           nn::LeakyReLUOptions{.slope = 0.2}));
  append(cases, layer_cases<nn::PReLU>("PReLU", "one slope", few, images));
  append(cases, {layer_case<nn::PReLU>("PReLU", "a slope each", Size::small, few,
                                       nn::PReLUOptions{.channels = 2}),
                 layer_case<nn::PReLU>("PReLU", "a slope each", Size::large, images,
                                       nn::PReLUOptions{.channels = 48})});
  append(cases, layer_cases<nn::Tanh>("Tanh", "", few, images));
  append(cases, layer_cases<nn::Sigmoid>("Sigmoid", "", few, images));
  append(cases, layer_cases<nn::GELU>("GELU", "", few, images));
  append(cases, layer_cases<nn::GELU>("GELU", "tanh", few, images,
                                      nn::GELUOptions{.form = ops::Gelu::tanh}));
  append(cases, layer_cases<nn::SiLU>("SiLU", "", few, images));
  append(cases, layer_cases<nn::Softplus>("Softplus", "", few, images));
  append(cases, layer_cases<nn::Clamp>("Clamp", "", few, images,
                                       nn::ClampOptions{.low = -0.7, .high = 0.9}));
  append(cases, layer_cases<nn::Softmax>("Softmax", "of channels", few, images));
  append(cases, layer_cases<nn::Softmax>("Softmax", "of rows", few, images,
                                         nn::SoftmaxOptions{.axis = 1}));
  append(cases, layer_cases<nn::LogSoftmax>("LogSoftmax", "of channels", few, images));
  append(cases, layer_cases<nn::LogSoftmax>("LogSoftmax", "of rows", few, images,
                                            nn::LogSoftmaxOptions{.axis = 1}));
  for (LayerCase c :
       layer_cases<nn::Dropout>("Dropout", "", few, images, nn::DropoutOptions{.p = 0.3})) {
    c.two_modes = true;
    cases.push_back(c);
  }
  return cases;
}

}  // namespace imago::test
