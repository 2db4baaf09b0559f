// PSNR and SSIM: what is known of them, and the values of scripts/goldens/image_quality.py.
#include "models/image_quality.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/elementwise/elementwise.h"
#include "kernels/random/random.h"
#include "tests/nn/goldens.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

Tensor images(std::uint32_t draw, const Shape& shape = {2, 16, 13, 3}) {
  const Tensor u = kernels::uniform(shape, DType::f32, {31, 0, draw});
  return kernels::add_scalar(u, -0.5);  // room for a shift
}

}  // namespace

TEST_CASE("equal images have an infinite PSNR and an SSIM of exactly 1") {
  const Tensor x = images(1);
  for (const double p : psnr(x, x)) CHECK(p == std::numeric_limits<double>::infinity());
  for (const double s : ssim(x, x)) CHECK(s == 1);
}

TEST_CASE("the PSNR of a constant offset is that of its square, for each image by itself") {
  const Tensor x = kernels::cast(images(1), DType::f64);
  for (const double offset : {0.5, 0.02}) {
    // 10 log10(2^2 / offset^2)
    const std::vector<double> both = psnr(kernels::add_scalar(x, offset), x);
    REQUIRE(both.size() == 2);
    for (const double p : both) CHECK(std::abs(p - 20 * std::log10(2 / offset)) < 1e-9);
  }
  Tensor half = x.clone();
  half.slice(1, 2).copy_from(kernels::add_scalar(x.slice(1, 2), 0.2));
  const std::vector<double> one = psnr(half, x);
  CHECK(std::isinf(one[0]));
  CHECK(std::abs(one[1] - 20) < 1e-9);
}

TEST_CASE("SSIM of constant images is that of their means alone") {
  // Variances and covariance are 0, so only (2 a b + C1) / (a^2 + b^2 + C1) is left.
  const Tensor x = Tensor::full({1, 12, 12, 1}, 0.2, DType::f64);
  const Tensor y = Tensor::full({1, 12, 12, 1}, -0.4, DType::f64);
  const double a = 0.6, b = 0.3, c1 = 1e-4;
  CHECK(std::abs(ssim(x, y)[0] - (2 * a * b + c1) / (a * a + b * b + c1)) < 1e-9);
}

TEST_CASE("SSIM falls with noise, is below 0 for a negative, and is symmetric") {
  const Tensor x = images(1), y = images(2);
  const auto mixed = [&](double share) {
    return kernels::add(kernels::scale(x, 1 - share), kernels::scale(y, share));
  };
  const double little = mean_of(ssim(mixed(0.1), x)), much = mean_of(ssim(mixed(0.6), x));
  CHECK(little < 1);
  CHECK(little > 0.8);
  CHECK(much < little);
  CHECK(mean_of(ssim(kernels::neg(x), x)) < 0);
  CHECK(ssim(x, y) == ssim(y, x));
  CHECK(psnr(x, y) == psnr(y, x));
}

TEST_CASE("PSNR and SSIM equal the values of numpy") {
  const SafetensorsFile file = load_goldens("image_quality.safetensors");
  const Tensor x = file.tensor("images"), truth = file.tensor("truth");
  const auto compare = [&](const char* name, const std::vector<double>& got) {
    const Tensor want = file.tensor(name).to(Device::cpu());
    REQUIRE(want.shape() == Shape{static_cast<std::int64_t>(got.size())});
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(std::abs(got[i] - want.data<double>()[i]) <= 1e-9 * std::fmax(1, std::abs(got[i])));
    }
  };
  compare("psnr", psnr(x, truth));
  compare("ssim", ssim(x, truth));
}

TEST_CASE("image quality: the same for any number of threads; NaN is seen; mistakes are named") {
  const ContextScope scope;
  const Tensor x = images(1, {5, 16, 16, 3}), y = images(2, {5, 16, 16, 3});
  set_num_threads(1);
  const std::vector<double> p = psnr(x, y), s = ssim(x, y);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    CHECK(psnr(x, y) == p);
    CHECK(ssim(x, y) == s);
  }
  Tensor broken = x.to(Device::cpu()).clone();
  broken.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  const Tensor truth = y.to(Device::cpu());
  CHECK(std::isnan(psnr(broken, truth)[0]));
  CHECK(std::isnan(ssim(broken, truth)[0]));
  CHECK(std::isfinite(ssim(broken, truth)[1]));
  CHECK_THROWS_WITH_AS(psnr(x, images(1)), doctest::Contains("one shape"), Error);
  CHECK_THROWS_WITH_AS(ssim(images(1, {1, 10, 16, 3}), images(2, {1, 10, 16, 3})),
                       doctest::Contains("11 x 11"), Error);
  CHECK_THROWS_WITH_AS(psnr(x.reshape({5, -1}), y), doctest::Contains("(N, H, W, C)"), Error);
  CHECK_THROWS_WITH_AS(mean_of({}), doctest::Contains("no figures"), Error);
}
