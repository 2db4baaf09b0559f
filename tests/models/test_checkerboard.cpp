// The energy of checkerboards, on pictures whose spectra are known.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "models/checkerboard.h"
#include "tensor/context.h"
#include "tests/kernels/random.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::test;
using models::checkerboard_energy;

namespace {

// An image (1, H, W, 1) of f64, pixel by pixel.
Tensor picture(std::int64_t H, std::int64_t W,
               const std::function<double(std::int64_t y, std::int64_t x)>& value) {
  Tensor image = Tensor::empty({1, H, W, 1}, DType::f64, Device::cpu());
  double* out = image.mutable_data<double>();
  for (std::int64_t i = 0; i < H * W; ++i) out[i] = value(i / W, i % W);
  return image;
}

double sign(std::int64_t i) {
  return i % 2 ? -1 : 1;
}

// The definition, frequency by frequency.
double by_transform(const Tensor& image) {
  const std::int64_t H = image.size(1), W = image.size(2);
  const double turn = 2 * std::acos(-1.0);
  double nyquist = 0, all = 0;
  for (std::int64_t u = 0; u < H; ++u) {
    for (std::int64_t v = 0; v < W; ++v) {
      if (u == 0 && v == 0) continue;
      double re = 0, im = 0;
      for (std::int64_t y = 0; y < H; ++y) {
        for (std::int64_t x = 0; x < W; ++x) {
          const double angle = turn * (static_cast<double>(u * y) / static_cast<double>(H) +
                                       static_cast<double>(v * x) / static_cast<double>(W));
          const double f = image.data<double>()[y * W + x];
          re += f * std::cos(angle);
          im -= f * std::sin(angle);
        }
      }
      const double energy = re * re + im * im;
      all += energy;
      if (2 * u == H || 2 * v == W) nyquist += energy;
    }
  }
  return nyquist / all;
}

}  // namespace

TEST_CASE("a checkerboard and stripes of one pixel have all energy there, a constant none") {
  const auto board = [](std::int64_t y, std::int64_t x) { return 3 + 0.5 * sign(x + y); };
  const auto columns = [](std::int64_t, std::int64_t x) { return sign(x); };
  const auto rows = [](std::int64_t y, std::int64_t) { return 0.1 - sign(y); };
  // What a transposed convolution of kernel 3, stride 2 and equal weights makes of a constant.
  const auto overlaps = [](std::int64_t y, std::int64_t x) {
    return static_cast<double>((1 + y % 2) * (1 + x % 2));
  };
  CHECK(checkerboard_energy(picture(8, 6, board)) == doctest::Approx(1).epsilon(1e-12));
  CHECK(checkerboard_energy(picture(8, 6, columns)) == doctest::Approx(1).epsilon(1e-12));
  CHECK(checkerboard_energy(picture(8, 6, rows)) == doctest::Approx(1).epsilon(1e-12));
  CHECK(checkerboard_energy(picture(8, 6, overlaps)) == doctest::Approx(1).epsilon(1e-12));
  CHECK(checkerboard_energy(picture(8, 6, [](auto, auto) { return 0.1; })) == 0);
  // Stripes of two pixels are half the frequency.
  const auto wide = [](std::int64_t, std::int64_t x) { return sign(x / 2); };
  CHECK(checkerboard_energy(picture(8, 8, wide)) <= 1e-12);
}

TEST_CASE("a ramp has 3 / (W^2 - 1) there, along either axis") {
  for (const std::int64_t W : {4, 16, 32}) {
    CAPTURE(W);
    const double expected = 3.0 / static_cast<double>(W * W - 1);
    const auto right = [](std::int64_t, std::int64_t x) { return static_cast<double>(x); };
    const auto down = [](std::int64_t y, std::int64_t) { return 7 - 2 * static_cast<double>(y); };
    CHECK(checkerboard_energy(picture(10, W, right)) == doctest::Approx(expected).epsilon(1e-12));
    CHECK(checkerboard_energy(picture(W, 10, down)) == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("it is what the Fourier transform says, and white noise has its even share") {
  const Tensor noise = normals({1, 6, 10, 1}, DType::f64, 3).to(Device::cpu());
  CHECK(checkerboard_energy(noise) == doctest::Approx(by_transform(noise)).epsilon(1e-10));
  const Tensor many = normals({200, 8, 8, 3}, DType::f32, 4);
  CHECK(checkerboard_energy(many) == doctest::Approx(15.0 / 63).epsilon(0.01));
}

TEST_CASE("images and channels add their energies; the last of odd rows and columns is left out") {
  // A checkerboard of amplitude 1 in one image, stripes of two pixels of amplitude 2 in the other:
  // energies 1 and 4. The third channel is constant and has none.
  Tensor images = Tensor::empty({2, 5, 9, 3}, DType::f32, Device::cpu());
  float* out = images.mutable_data<float>();
  for (int n = 0; n < 2; ++n) {
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 9; ++x) {
        const bool left_out = y == 4 || x == 8;
        const double value = n == 0 ? sign(x + y) : 2 * sign(x / 2);
        for (int c = 0; c < 3; ++c) {
          *out++ = static_cast<float>(left_out ? 50 : c == 2 ? -1 : value);
        }
      }
    }
  }
  CHECK(checkerboard_energy(images) == doctest::Approx(0.2).epsilon(1e-12));
  CHECK(checkerboard_energy(images.slice(0, 1)) == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("checkerboard_energy says what it cannot take") {
  CHECK(contains(error_of([] { checkerboard_energy(Tensor::zeros({4, 4, 3})); }), "(N, H, W, C)"));
  CHECK(contains(error_of([] {
                   checkerboard_energy(Tensor::zeros({1, 1, 4, 3}));
                 }),
                 "two rows and two columns"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(contains(error_of([&] {
                   checkerboard_energy(Tensor::full({1, 4, 4, 1}, nan));
                 }),
                 "not finite"));
  CHECK(contains(error_of([] {
                   checkerboard_energy(Tensor::zeros({1, 4, 4, 1}, DType::u8));
                 }),
                 "checkerboard_energy"));
}
