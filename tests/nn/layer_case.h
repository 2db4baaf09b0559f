// One entry of the table that drives the tests of every layer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/module.h"

namespace imago::test {

// What a case is for: numeric derivatives, whose cost grows with the square of the number of
// elements, or work that three threads share.
enum class Size { small, large };

struct LayerCase {
  std::string layer;  // its class in nn/*.h
  std::string name;   // what is special about this one
  Size size;
  std::function<std::shared_ptr<nn::Module>()> make;
  Shape x;
  bool training = true;
  std::int64_t indices = 0;  // x are indices below this number; 0: x are normals
  bool two_modes = false;    // training and evaluation differ
  bool shared = true;        // of a large case: threads share its work
};

// The input of a case, on the device of the Context: a leaf that requires a gradient, unless it is
// one of indices.
Var input_of(const LayerCase& c, DType dtype);

// The layer of a case in its mode, every parameter drawn anew so that none is at 0 or 1.
std::shared_ptr<nn::Module> layer_of(const LayerCase& c, DType dtype);

// One function per kind of layer; all_layer_cases() has them all.
std::vector<LayerCase> convolution_layer_cases();
std::vector<LayerCase> elementwise_layer_cases();
std::vector<LayerCase> image_layer_cases();
std::vector<LayerCase> norm_layer_cases();
std::vector<LayerCase> structure_layer_cases();

std::vector<LayerCase> all_layer_cases();

// A case of a layer that is made of `options`.
template <class Layer, class... Options>
LayerCase layer_case(const std::string& layer, const std::string& name, Size size, const Shape& x,
                     const Options&... options) {
  return {.layer = layer,
          .name = name,
          .size = size,
          .make = [=] { return std::make_shared<Layer>(options...); },
          .x = x};
}

// The same options for both sizes.
template <class Layer, class... Options>
std::vector<LayerCase> layer_cases(const std::string& layer, const std::string& name,
                                   const Shape& small, const Shape& large,
                                   const Options&... options) {
  return {layer_case<Layer>(layer, name, Size::small, small, options...),
          layer_case<Layer>(layer, name, Size::large, large, options...)};
}

inline void append(std::vector<LayerCase>& cases, const std::vector<LayerCase>& more) {
  cases.insert(cases.end(), more.begin(), more.end());
}

}  // namespace imago::test
