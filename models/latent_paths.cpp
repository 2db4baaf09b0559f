#include "models/latent_paths.h"

#include <algorithm>
#include <cmath>

#include "tensor/context.h"
#include "tensor/error.h"

namespace imago::models {
namespace {

double dot(const float* a, const float* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// What a and b are multiplied by at t in [0, 1].
struct Weights {
  double a, b;
};

Weights weights_at(double t, double length_a, double length_b, double cosine, LatentPath path) {
  constexpr double nearly_parallel = 1 - 1e-6;
  if (path == LatentPath::linear || !(std::fabs(cosine) < nearly_parallel)) return {1 - t, t};
  const double angle = std::acos(cosine);
  const double length = (1 - t) * length_a + t * length_b;
  return {length / length_a * std::sin((1 - t) * angle) / std::sin(angle),
          length / length_b * std::sin(t * angle) / std::sin(angle)};
}

}  // namespace

Tensor interpolate(const Tensor& a, const Tensor& b, int count, LatentPath path) {
  check(a.dim() == 1 && a.shape() == b.shape(), "interpolate", "expects two z (Z), not ", a.shape(),
        " and ", b.shape());
  check(count >= 2, "interpolate", "count is 2 or more, not ", count);
  const Tensor from = a.to(Device::cpu()), to = b.to(Device::cpu());
  const std::int64_t n = a.numel();
  const float* pa = from.data<float>();
  const float* pb = to.data<float>();
  const double length_a = std::sqrt(dot(pa, pa, n)), length_b = std::sqrt(dot(pb, pb, n));
  // NaN where one has no length, which is no cosine.
  const double cosine = dot(pa, pb, n) / (length_a * length_b);
  Tensor path_points = Tensor::empty({count, n}, DType::f32, Device::cpu());
  float* p = path_points.mutable_data<float>();
  for (int i = 0; i < count; ++i) {
    const Weights w =
        weights_at(static_cast<double>(i) / (count - 1), length_a, length_b, cosine, path);
    for (std::int64_t j = 0; j < n; ++j) {
      *p++ =
          static_cast<float>(w.a * static_cast<double>(pa[j]) + w.b * static_cast<double>(pb[j]));
    }
  }
  return path_points.to(Context::current().device);
}

Tensor traverse(const Tensor& z, int latent, double low, double high, int count) {
  check(z.dim() == 1 && latent >= 0 && latent < z.numel(), "traverse", "there is no latent ",
        latent, " in z of shape ", z.shape());
  check(count >= 2, "traverse", "count is 2 or more, not ", count);
  const Tensor from = z.to(Device::cpu());
  const std::int64_t n = z.numel();
  Tensor points = Tensor::empty({count, n}, DType::f32, Device::cpu());
  float* p = points.mutable_data<float>();
  for (int i = 0; i < count; ++i, p += n) {
    std::copy_n(from.data<float>(), n, p);
    p[latent] = static_cast<float>(low + (high - low) * i / (count - 1));
  }
  return points.to(Context::current().device);
}

}  // namespace imago::models
