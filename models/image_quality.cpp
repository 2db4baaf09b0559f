#include "models/image_quality.h"

#include <array>
#include <cmath>
#include <numeric>

#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"

namespace imago::models {
namespace {

using Window = std::array<double, ssim_window>;

// Both sides on the host in f64.
struct Pair {
  Tensor images, truth;
  std::int64_t count, height, width, channels;
};

Pair pair_of(const char* op, const Tensor& images, const Tensor& truth) {
  for (const Tensor* t : {&images, &truth}) {
    check(t->defined() && t->dim() == 4 && t->numel() > 0, op,
          "takes images (N, H, W, C), at least one");
    check(t->dtype() == DType::f32 || t->dtype() == DType::f64, op, "takes f32 or f64, not ",
          t->dtype());
  }
  check(images.shape() == truth.shape(), op, "compares images of one shape, not ", images.shape(),
        " and ", truth.shape());
  const auto host = [](const Tensor& t) { return kernels::cast(t.to(Device::cpu()), DType::f64); };
  return {host(images),   host(truth),    images.size(0),
          images.size(1), images.size(2), images.size(3)};
}

// A Gaussian of deviation 1.5 whose sum is 1.
Window gaussian_window() {
  Window window;
  constexpr double deviation = 1.5;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const double d = static_cast<double>(i) - (ssim_window - 1) / 2;
    window[i] = std::exp(-d * d / (2 * deviation * deviation));
  }
  const double sum = std::accumulate(window.begin(), window.end(), 0.0);
  for (double& w : window) w /= sum;
  return window;
}

// Planes of height x width under the window, where it lies inside: first along rows, then along
// columns, as a product of two Gaussians is one of two dimensions.
std::vector<double> filtered(const std::vector<double>& plane, std::int64_t height,
                             std::int64_t width, const Window& window) {
  const std::int64_t rows = height - ssim_window + 1, columns = width - ssim_window + 1;
  std::vector<double> along(static_cast<std::size_t>(height * columns));
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < columns; ++x) {
      const double* p = plane.data() + y * width + x;
      double sum = 0;
      for (std::size_t k = 0; k < window.size(); ++k) sum += window[k] * p[k];
      along[static_cast<std::size_t>(y * columns + x)] = sum;
    }
  }
  std::vector<double> result(static_cast<std::size_t>(rows * columns));
  for (std::int64_t y = 0; y < rows; ++y) {
    for (std::int64_t x = 0; x < columns; ++x) {
      const double* p = along.data() + y * columns + x;
      double sum = 0;
      for (std::int64_t k = 0; k < ssim_window; ++k) {
        sum += window[static_cast<std::size_t>(k)] * p[k * columns];
      }
      result[static_cast<std::size_t>(y * columns + x)] = sum;
    }
  }
  return result;
}

// The sum of the map over one channel of one image; `x` and `y` point at its first pixel.
double ssim_sum(const double* x, const double* y, const Pair& of, const Window& window) {
  constexpr double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
  const auto pixels = static_cast<std::size_t>(of.height * of.width);
  std::vector<double> a(pixels), b(pixels), aa(pixels), bb(pixels), ab(pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    a[i] = (x[i * static_cast<std::size_t>(of.channels)] + 1) / 2;
    b[i] = (y[i * static_cast<std::size_t>(of.channels)] + 1) / 2;
    aa[i] = a[i] * a[i];
    bb[i] = b[i] * b[i];
    ab[i] = a[i] * b[i];
  }
  const auto under = [&](const std::vector<double>& plane) {
    return filtered(plane, of.height, of.width, window);
  };
  const std::vector<double> ma = under(a), mb = under(b), maa = under(aa), mbb = under(bb);
  const std::vector<double> mab = under(ab);
  double sum = 0;
  for (std::size_t i = 0; i < ma.size(); ++i) {
    const double product = ma[i] * mb[i], squares = ma[i] * ma[i] + mb[i] * mb[i];
    const double variances = maa[i] + mbb[i] - squares, covariance = mab[i] - product;
    sum += (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2));
  }
  return sum;
}

}  // namespace

std::vector<double> psnr(const Tensor& images, const Tensor& truth) {
  const Pair pair = pair_of("psnr", images, truth);
  const std::int64_t values = pair.height * pair.width * pair.channels;
  const double* x = pair.images.data<double>();
  const double* y = pair.truth.data<double>();
  std::vector<double> result(static_cast<std::size_t>(pair.count));
  parallel_for(pair.count, [&](std::int64_t n) {
    double sum = 0;
    for (std::int64_t i = n * values; i < (n + 1) * values; ++i)
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    constexpr double range = 2;
    result[static_cast<std::size_t>(n)] =
        10 * std::log10(range * range * static_cast<double>(values) / sum);
  });
  return result;
}

std::vector<double> ssim(const Tensor& images, const Tensor& truth) {
  const Pair pair = pair_of("ssim", images, truth);
  check(pair.height >= ssim_window && pair.width >= ssim_window, "ssim",
        "needs images of at least 11 x 11, the size of its window, not ", images.shape());
  const Window window = gaussian_window();
  const std::int64_t values = pair.height * pair.width * pair.channels;
  const std::int64_t places =
      (pair.height - ssim_window + 1) * (pair.width - ssim_window + 1) * pair.channels;
  const double* x = pair.images.data<double>();
  const double* y = pair.truth.data<double>();
  std::vector<double> result(static_cast<std::size_t>(pair.count));
  parallel_for(pair.count, [&](std::int64_t n) {
    double sum = 0;
    for (std::int64_t c = 0; c < pair.channels; ++c) {
      sum += ssim_sum(x + n * values + c, y + n * values + c, pair, window);
    }
    result[static_cast<std::size_t>(n)] = sum / static_cast<double>(places);
  });
  return result;
}

double mean_of(const std::vector<double>& figures) {
  check(!figures.empty(), "mean_of", "there are no figures");
  return std::accumulate(figures.begin(), figures.end(), 0.0) / static_cast<double>(figures.size());
}

}  // namespace imago::models
