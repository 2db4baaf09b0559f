// The discriminator of models/seed001.h with the shapes that its author asserts after each layer.
#include <cstdio>

#include "apps/museum/exhibits.h"
#include "apps/museum/support.h"
#include "models/seed001.h"

namespace imago::museum {
namespace {

// Of the network's layers: where a first convolution ends, a second, and Flatten.
constexpr std::size_t first_convolution = 0, second_convolution = 3, flatten = 6;

struct Shapes {
  Shape first, second, flat;
};

Shapes shapes_of(nn::Sequential& d, int size) {
  Shapes shapes;
  Var y = Tensor::zeros({1, size, size, 3});
  for (std::size_t i = 0; i <= flatten; ++i) {
    y = d[i](y);
    if (i == first_convolution) shapes.first = y.shape();
    if (i == second_convolution) shapes.second = y.shape();
  }
  shapes.flat = y.shape();
  return shapes;
}

}  // namespace

Assertions assertions() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  manual_seed(1);
  const NoGrad no_grad;
  nn::Sequential d = models::seed001_discriminator();
  d.set_name("D");
  const Shapes at_16 = shapes_of(d, 16), at_32 = shapes_of(d, 32);
  return {.first = {1, 8, 8, 64},
          .second = {1, 4, 4, 128},
          .flat = {1, 4 * 4 * 128},
          .first_16 = at_16.first,
          .second_16 = at_16.second,
          .flat_16 = at_16.flat,
          .first_32 = at_32.first,
          .second_32 = at_32.second,
          .flat_32 = at_32.flat,
          .error = message_of([&] {
            d(Tensor::zeros({1, 16, 16, 3}));
          })};
}

void show_assertions() {
  const Assertions f = assertions();
  const auto row = [](const char* layer, const Shape& asserted, const Shape& at_16,
                      const Shape& at_32) {
    std::printf("    %-22s %-17s %-17s %-17s %s\n", layer, asserted.to_string().c_str(),
                at_16.to_string().c_str(), at_32.to_string().c_str(),
                asserted == at_32 ? "holds" : "fails");
  };
  std::printf(
      "Wrong: a discriminator of 32x32 images that asserts 8x8 and 4x4 after its two convolutions\n"
      "Right: 16x16 and 8x8: stride 2 halves the sides once each\n"
      "What differs:\n"
      "    %-22s %-17s %-17s %-17s %s\n",
      "layer", "asserted", "for 16x16", "for 32x32", "assertion at 32x32");
  row("convolution, stride 2", f.first, f.first_16, f.first_32);
  row("convolution, stride 2", f.second, f.second_16, f.second_32);
  row("flatten", f.flat, f.flat_16, f.flat_32);
  std::printf(
      "  They are those of 16x16 images. The generator beside it makes 32x32, so the program ends "
      "at\n"
      "  the first assertion. Here no layer needs one: the dense layer for 32x32, given 16x16, "
      "says\n"
      "    %s\n",
      f.error.c_str());
}

}  // namespace imago::museum
