#include "models/checkerboard.h"

#include <cmath>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/error.h"

namespace imago::models {
namespace {

struct Energy {
  double nyquist = 0, all = 0;
};

// Of one channel of an image: H rows of `width` pixels, W of which count, C values apart.
//
// By Parseval, sum over v of |F(H / 2, v)|^2 = W * sum over x of (sum over y of (-1)^y f(y, x))^2,
// and alike for the columns; F(H / 2, W / 2) is in both. A mean of the channel would only add
// rounding: it is taken out first.
template <class T>
Energy energy_of(const T* f, std::int64_t H, std::int64_t W, std::int64_t width, std::int64_t C) {
  const auto at = [&](std::int64_t y, std::int64_t x) {
    return static_cast<double>(f[(y * width + x) * C]);
  };
  double mean = 0;
  for (std::int64_t y = 0; y < H; ++y) {
    for (std::int64_t x = 0; x < W; ++x) mean += at(y, x);
  }
  mean /= static_cast<double>(H * W);
  check(std::isfinite(mean), "checkerboard_energy", "the images hold values that are not finite");
  double squares = 0, across = 0, both = 0;
  std::vector<double> down(static_cast<std::size_t>(W));
  for (std::int64_t y = 0; y < H; ++y) {
    double row = 0;
    for (std::int64_t x = 0; x < W; ++x) {
      const double value = at(y, x) - mean;
      squares += value * value;
      row += x % 2 ? -value : value;
      down[static_cast<std::size_t>(x)] += y % 2 ? -value : value;
    }
    across += row * row;
    both += y % 2 ? -row : row;
  }
  double columns = 0;
  for (const double sum : down) columns += sum * sum;
  const auto h = static_cast<double>(H), w = static_cast<double>(W);
  return {w * columns + h * across - both * both, h * w * squares};
}

}  // namespace

double checkerboard_energy(const Tensor& images) {
  constexpr const char* op = "checkerboard_energy";
  check(images.defined() && images.dim() == 4, op, "expects images (N, H, W, C)");
  const std::int64_t N = images.size(0), width = images.size(2), C = images.size(3);
  const std::int64_t H = images.size(1) / 2 * 2, W = width / 2 * 2;
  check(H >= 2 && W >= 2, op, "needs two rows and two columns at least, but the images are ",
        images.shape());
  const Tensor host = images.to(Device::cpu());
  Energy sum;
  dispatch<float, double>(host.dtype(), op, [&]<class T> {
    const T* f = host.data<T>();
    for (std::int64_t n = 0; n < N; ++n) {
      for (std::int64_t c = 0; c < C; ++c) {
        const Energy one = energy_of(f + n * images.size(1) * width * C + c, H, W, width, C);
        sum.nyquist += one.nyquist;
        sum.all += one.all;
      }
    }
  });
  return sum.all > 0 ? sum.nyquist / sum.all : 0;
}

}  // namespace imago::models
