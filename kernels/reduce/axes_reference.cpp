// The specification of the reductions over a set of axes.
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "kernels/reduce/axes.h"

namespace imago::kernels {

Tensor reduce_reference(Reduction op, const Tensor& x, const AxisList& axes, bool keepdim) {
  const Shape kept = reduced_shape("reduce_reference", x.shape(), axes, true);
  const Tensor wide = cast(x, DType::f64);
  const double* px = wide.data<double>();
  // The element of the result, and the place among its terms, of each element of x.
  const auto target = [&](std::int64_t i, std::int64_t& place) {
    std::int64_t to = 0, pitch = 1, place_pitch = 1;
    place = 0;
    for (int axis = x.dim() - 1; axis >= 0; --axis) {
      const std::int64_t step = i % x.size(axis);
      i /= x.size(axis);
      if (kept[axis] == x.size(axis)) {
        to += step * pitch;
        pitch *= x.size(axis);
      } else {
        place += step * place_pitch;
        place_pitch *= x.size(axis);
      }
    }
    return static_cast<std::size_t>(to);
  };
  const auto count = static_cast<std::size_t>(kept.numel());
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> best(count, op == Reduction::min ? infinity : -infinity), sum(count, 0.0);
  std::vector<std::int64_t> first(count, -1);
  std::int64_t place = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::size_t to = target(i, place);
    const double v = px[i];
    const bool better = op == Reduction::min ? v < best[to] : v > best[to];
    if (first[to] < 0 || better || (std::isnan(v) && !std::isnan(best[to]))) {
      best[to] = v, first[to] = place;
    }
    if (op == Reduction::sum) sum[to] += v;
    if (op == Reduction::norm1) sum[to] += std::fabs(v);
    if (op == Reduction::norm2) sum[to] += v * v;
  }
  if (op == Reduction::logsumexp) {
    for (double& b : best) b = std::isfinite(b) ? b : 0;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const std::size_t to = target(i, place);
      sum[to] += std::exp(px[i] - best[to]);
    }
  }
  Tensor out = Tensor::empty(reduced_shape("reduce_reference", x.shape(), axes, keepdim),
                             DType::f64, Device::cpu());
  double* po = out.mutable_data<double>();
  for (std::size_t i = 0; i < count; ++i) {
    const bool chooses = op == Reduction::max || op == Reduction::min;
    po[i] = chooses ? best[i] : sum[i];
    if (op == Reduction::argmax) po[i] = static_cast<double>(first[i]);
    if (op == Reduction::norm2) po[i] = std::sqrt(sum[i]);
    if (op == Reduction::logsumexp) po[i] = best[i] + std::log(sum[i]);
  }
  return out;
}

}  // namespace imago::kernels
