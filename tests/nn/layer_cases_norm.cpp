// Layers that normalise.
#include "layer_case.h"
#include "nn/batch_norm2d.h"
#include "nn/group_norm.h"
#include "nn/layer_norm.h"

namespace imago::test {

std::vector<LayerCase> norm_layer_cases() {
  const Shape few{3, 2, 2, 4}, images{6, 16, 16, 48};
  std::vector<LayerCase> cases;
  const auto batch_norm = [&](const std::string& name, Size size, bool training) {
    LayerCase c = layer_case<nn::BatchNorm2d>(
        "BatchNorm2d", name, size, size == Size::small ? few : images,
        nn::BatchNorm2dOptions{.channels = size == Size::small ? 4 : 48});
    c.training = training;
    c.two_modes = true;
    cases.push_back(c);
  };
  for (const Size size : {Size::small, Size::large}) {
    batch_norm("training", size, true);
    batch_norm("evaluation", size, false);
  }
  append(
      cases,
      {layer_case<nn::LayerNorm>("LayerNorm", "", Size::small, {3, 4},
                                 nn::LayerNormOptions{.shape = {4}}),
       layer_case<nn::LayerNorm>("LayerNorm", "of images", Size::small, {2, 2, 1, 3},
                                 nn::LayerNormOptions{.shape = {2, 1, 3}}),
       layer_case<nn::LayerNorm>("LayerNorm", "not affine", Size::small, {3, 4},
                                 nn::LayerNormOptions{.shape = {4}, .affine = false}),
       layer_case<nn::LayerNorm>("LayerNorm", "", Size::large, images,
                                 nn::LayerNormOptions{.shape = {48}}),
       layer_case<nn::GroupNorm>("GroupNorm", "", Size::small, {2, 2, 1, 4},
                                 nn::GroupNormOptions{.groups = 2, .channels = 4}),
       layer_case<nn::GroupNorm>("GroupNorm", "not affine", Size::small, {2, 2, 1, 4},
                                 nn::GroupNormOptions{.groups = 1, .channels = 4, .affine = false}),
       layer_case<nn::GroupNorm>("GroupNorm", "", Size::large, images,
                                 nn::GroupNormOptions{.groups = 4, .channels = 48}),
       layer_case<nn::InstanceNorm2d>("InstanceNorm2d", "", Size::small, {2, 2, 2, 2},
                                      nn::InstanceNorm2dOptions{.channels = 2}),
       layer_case<nn::InstanceNorm2d>("InstanceNorm2d", "affine", Size::small, {2, 3, 1, 2},
                                      nn::InstanceNorm2dOptions{.channels = 2, .affine = true}),
       layer_case<nn::InstanceNorm2d>("InstanceNorm2d", "affine", Size::large, images,
                                      nn::InstanceNorm2dOptions{.channels = 48, .affine = true})});
  return cases;
}

}  // namespace imago::test
