// Pooling, resizing and padding of images.
#include "layer_case.h"
#include "nn/pooling.h"
#include "nn/resizing.h"

namespace imago::test {

std::vector<LayerCase> image_layer_cases() {
  const Shape few{2, 4, 3, 2}, images{6, 32, 32, 48};
  std::vector<LayerCase> cases;
  append(cases, layer_cases<nn::MaxPool2d>("MaxPool2d", "", few, images));
  append(cases, layer_cases<nn::MaxPool2d>(
                    "MaxPool2d", "overlapping", few, images,
                    nn::MaxPool2dOptions{.kernel = 3, .stride = 2, .padding = Padding::same(1)}));
  append(cases, layer_cases<nn::AvgPool2d>("AvgPool2d", "", few, images));
  append(cases,
         layer_cases<nn::AvgPool2d>(
             "AvgPool2d", "overlapping", few, images,
             nn::AvgPool2dOptions{
                 .kernel = 3, .stride = 2, .padding = {1, 0, 1, 1}, .count_include_pad = false}));
  append(cases, layer_cases<nn::GlobalAvgPool2d>("GlobalAvgPool2d", "", few, images));
  append(cases, layer_cases<nn::GlobalMaxPool2d>("GlobalMaxPool2d", "", few, images));
  append(cases, layer_cases<nn::Upsample>("Upsample", "nearest", {1, 2, 3, 2}, images,
                                          nn::UpsampleOptions{.factor = 2}));
  const auto upsample = [&](const std::string& name, Filter filter, Size size, const Shape& x,
                            int height, int width) {
    cases.push_back(layer_case<nn::Upsample>(
        "Upsample", name, size, x,
        nn::UpsampleOptions{.height = height, .width = width, .filter = filter}));
  };
  upsample("bilinear", Filter::bilinear, Size::small, {1, 2, 3, 2}, 3, 5);
  upsample("bilinear", Filter::bilinear, Size::large, images, 19, 33);
  upsample("antialiased", Filter::bilinear_antialias, Size::small, few, 2, 2);
  upsample("antialiased", Filter::bilinear_antialias, Size::large, {6, 64, 48, 48}, 19, 21);
  append(cases, layer_cases<nn::Pad>("Pad", "constant", few, images,
                                     nn::PadOptions{.padding = {1, 0, 2, 1}, .value = 0.5}));
  append(cases, layer_cases<nn::Pad>(
                    "Pad", "reflect", few, images,
                    nn::PadOptions{.padding = {2, 1, 1, 2}, .mode = nn::PadMode::reflect}));
  return cases;
}

}  // namespace imago::test
