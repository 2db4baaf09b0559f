// A published formula of convolution,
//     y(x, y) = sum over i, j = -k .. k of x(i, j) * k(k - i, k - j),
// has x and y on its left side alone: whatever the position, the sum is the same. (It uses the
// letters x, y and k for two things each, which is how that happens.)
#include <cstdio>
#include <set>

#include "apps/museum/exhibits.h"
#include "autograd/ops/conv2d.h"

namespace imago::museum {
namespace {

constexpr int side = 5, kernel = 3, out = side - kernel + 1, half = kernel / 2;

// A picture and a kernel of small whole numbers, so that sums are exact.
float pixel(int row, int column) {
  return static_cast<float>(row * row + 2 * column);
}
float weight(int row, int column) {
  return static_cast<float>(row == half ? 2 : column - half);
}

// As it stands, i and j from the middle of the picture.
double wrong_at(int /*p*/, int /*q*/) {
  double sum = 0;
  for (int i = -half; i <= half; ++i) {
    for (int j = -half; j <= half; ++j) {
      sum += pixel(side / 2 + i, side / 2 + j) * weight(half - i, half - j);
    }
  }
  return sum;
}

// y(p, q) = sum over i, j of x(p + i, q + j) w(i, j).
double right_at(int p, int q) {
  double sum = 0;
  for (int i = 0; i < kernel; ++i) {
    for (int j = 0; j < kernel; ++j) sum += pixel(p + i, q + j) * weight(i, j);
  }
  return sum;
}

int distinct(const std::array<double, 9>& values) {
  return static_cast<int>(std::set<double>(values.begin(), values.end()).size());
}

}  // namespace

ConvolutionFormula convolution_formula() {
  const ContextScope scope;
  Context::current().device = Device::cpu();
  ConvolutionFormula f;
  Tensor x = Tensor::empty({1, side, side, 1}), w = Tensor::empty({1, kernel, kernel, 1});
  float* to = x.mutable_data<float>();
  for (int i = 0; i < side * side; ++i) to[i] = pixel(i / side, i % side);
  to = w.mutable_data<float>();
  for (int i = 0; i < kernel * kernel; ++i) to[i] = weight(i / kernel, i % kernel);
  const Var y = ops::conv2d(x, w, {});  // (1, 3, 3, 1)
  for (int i = 0; i < out * out; ++i) {
    const auto at = static_cast<std::size_t>(i);
    f.wrong[at] = wrong_at(i / out, i % out);
    f.right[at] = right_at(i / out, i % out);
    f.library[at] = y.tensor().data<float>()[i];
  }
  f.wrong_distinct = distinct(f.wrong);
  f.right_distinct = distinct(f.right);
  return f;
}

void show_convolution_formula() {
  const ConvolutionFormula f = convolution_formula();
  std::printf(
      "Wrong: y(x, y) = sum over i, j of x(i, j) k(k - i, k - j)\n"
      "Right: y(p, q) = sum over i, j of x(p + i, q + j) w(i, j)\n"
      "What differs, for a picture of 5x5 and a kernel of 3x3:\n"
      "      wrong            right            ops::conv2d\n");
  for (std::size_t row = 0; row < 9; row += 3) {
    std::printf("   %4.0f %4.0f %4.0f   %4.0f %4.0f %4.0f   %4.0f %4.0f %4.0f\n", f.wrong[row],
                f.wrong[row + 1], f.wrong[row + 2], f.right[row], f.right[row + 1],
                f.right[row + 2], f.library[row], f.library[row + 1], f.library[row + 2]);
  }
  std::printf(
      "  The position p, q does not occur in the wrong sum, so it is %d number for all of the\n"
      "  picture; the right one gives %d different ones.\n"
      "  The wrong formula also turns the kernel round. That is what mathematics calls "
      "convolution;\n"
      "  layers do not do it. A network learns its kernels either way, turned or not.\n",
      f.wrong_distinct, f.right_distinct);
}

}  // namespace imago::museum
