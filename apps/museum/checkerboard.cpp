// Published decoders double their images by transposed convolutions of kernel 3 and stride 2. Each
// input pixel is spread over 3x3 of the output, two pixels apart, so that the spread squares overlap
// in some pixels and not in others: a checkerboard, before anything has been learned.
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>

#include "apps/museum/exhibits.h"
#include "autograd/engine.h"
#include "autograd/ops/conv2d.h"
#include "autograd/ops/conv2d_input_grad.h"
#include "autograd/ops/resample.h"
#include "autograd/ops/sum_to.h"
#include "models/checkerboard.h"

namespace imago::museum {
namespace {

using Map = Checkerboard::Map;

constexpr int in = 6, out = 2 * in;   // sides
constexpr int shown = 6, border = 2;  // the middle of the output, which no border reaches
constexpr std::array<double, 3> ones3 = {1, 1, 1}, rising3 = {1, 2, 3}, linear3 = {1, 2, 1};
constexpr std::array<double, 4> ones4 = {1, 1, 1, 1}, rising4 = {1, 2, 3, 4};

// Weights (1, k, k, 1): those of the rows times those of the columns. f64, so that sums of whole
// numbers are exact whatever the engine.
Tensor weight(std::span<const double> along) {
  const auto k = static_cast<std::int64_t>(along.size());
  Tensor w = Tensor::empty({1, k, k, 1}, DType::f64);
  double* to = w.mutable_data<double>();
  for (const double row : along) {
    for (const double column : along) *to++ = row * column;
  }
  return w;
}

Conv2dParams with_stride(int stride) {
  return {.stride_h = stride, .stride_w = stride, .pad = Padding::same(1)};
}

Tensor ones(std::int64_t side) {
  return Tensor::full({1, side, side, 1}, 1, DType::f64);
}

// Of an image (1, 12, 12, 1).
Map middle_of(const Var& image) {
  Map map;
  for (int i = 0; i < shown * shown; ++i) {
    const int row = border + i / shown, column = border + i % shown;
    map[static_cast<std::size_t>(i)] = image.tensor().data<double>()[row * out + column];
  }
  return map;
}

Map transposed(std::span<const double> along) {
  return middle_of(ops::conv2d_input_grad(ones(in), weight(along), out, out, with_stride(2)));
}

Map resized(std::span<const double> along) {
  const Var doubled = ops::resample(ones(in), out, out, Filter::nearest);
  return middle_of(ops::conv2d(doubled, weight(along), with_stride(1)));
}

double deviation_of(const Map& map) {
  double sum = 0, square = 0;
  for (const double value : map) sum += value;  // of whole numbers: exact
  const double mean = sum / static_cast<double>(map.size());
  for (const double value : map) square += (value - mean) * (value - mean);
  return std::sqrt(square / static_cast<double>(map.size())) / mean;
}

double energy_of(const Map& map) {
  return models::checkerboard_energy(Tensor::from<double>(map, {1, shown, shown, 1}));
}

std::string row_of(const Map& map, int row) {
  std::string text;
  for (int column = 0; column < shown; ++column) {
    char value[16];
    std::snprintf(value, sizeof value, "%3.0f",
                  map[static_cast<std::size_t>(row * shown + column)]);
    text += value;
  }
  return text;
}

void print_row(const char* label, const std::array<Map, 3>& maps, int row) {
  std::printf("  %-24s%s   %s   %s\n", label, row_of(maps[0], row).c_str(),
              row_of(maps[1], row).c_str(), row_of(maps[2], row).c_str());
}

void print_figures(const char* label, const std::array<double, 3>& values) {
  std::printf("  %-24s%18.3f   %18.3f   %18.3f\n", label, values[0], values[1], values[2]);
}

}  // namespace

Checkerboard checkerboard() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  Checkerboard f;
  f.even = {transposed(ones3), transposed(ones4), resized(ones3)};
  f.uneven = {transposed(rising3), transposed(rising4), resized(rising3)};
  for (std::size_t i = 0; i < 3; ++i) {
    f.deviation[i] = deviation_of(f.even[i]);
    f.uneven_deviation[i] = deviation_of(f.uneven[i]);
    f.energy[i] = energy_of(f.even[i]);
  }
  f.bilinear = transposed(linear3);
  const Var image = parameter(ones(out));
  const Var seen = ops::sum(ops::conv2d(image, weight(ones3), with_stride(2)));
  const Map gradient = middle_of(grad({seen}, {image})[0]);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    if (gradient[i] != f.even[0][i]) f.gradient_differs += 1;
  }
  return f;
}

void show_checkerboard() {
  const Checkerboard f = checkerboard();
  std::printf(
      "Wrong: double the sides of an image by a transposed convolution of kernel 3 and stride 2\n"
      "Right: kernel 4, which 2 divides; or nearest doubling, then a convolution of kernel 3\n"
      "What differs, for an input of 1 everywhere, in the middle of the output:\n"
      "  %-24s%18s   %18s   %18s\n",
      "", "kernel 3, stride 2", "kernel 4, stride 2", "doubling, kernel 3");
  print_row("weights of 1,", f.even, 0);
  print_row("so that a pixel counts", f.even, 1);
  print_row("the products that it is", f.even, 2);
  print_row("the sum of", f.even, 3);
  print_figures("deviation / mean", f.deviation);
  print_figures("energy that alternates", f.energy);
  print_row("weights 1 2 3 (4) by", f.uneven, 0);
  print_row("rows times columns", f.uneven, 1);
  print_figures("deviation / mean", f.uneven_deviation);
  std::printf(
      "  With 1 2 1 by rows times columns kernel 3 gives %.0f everywhere. Any kernel can learn "
      "even\n"
      "  sums; kernel 4 starts from even counts, and after doubling there are no others.\n"
      "  The gradient of a convolution of kernel 3 and stride 2 by its image is the first map: %d "
      "of\n"
      "  36 pixels differ. A D of such layers draws the pattern into what G learns.\n",
      f.bilinear[0], f.gradient_differs);
}

}  // namespace imago::museum
