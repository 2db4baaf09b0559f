#include "models/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/parallel.h"
#include "tensor/error.h"
#include "tensor/random_stream.h"

namespace imago::models {
namespace {

// Of ascending values, between two of them linearly: the smallest is at 0, the largest at 1.
double quantile(const std::vector<double>& values, double q) {
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  // Equal neighbours must give their own value, without a rounding.
  if (values[below] == values[above]) return values[below];
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::vector<int> draw(std::int64_t subjects, std::uint64_t seed, std::int64_t resample) {
  RandomStream random(seed, static_cast<std::uint32_t>(resample));
  std::vector<int> times(static_cast<std::size_t>(subjects));
  for (std::int64_t i = 0; i < subjects; ++i) {
    ++times[random.below(static_cast<std::uint32_t>(subjects))];
  }
  return times;
}

}  // namespace

std::vector<Interval> bootstrap_all(
    std::int64_t subjects,
    const std::function<std::vector<double>(std::span<const int> times)>& statistics,
    const BootstrapOptions& options) {
  const char* op = "bootstrap";
  check(subjects >= 1 && subjects <= std::numeric_limits<std::int32_t>::max(), op,
        "there must be somebody to draw, and fewer than 2^31, not ", subjects);
  check(options.resamples >= 0, op, "the number of resamples must not be negative, but is ",
        options.resamples);
  check(statistics != nullptr, op, "there is no statistic");
  const std::vector<int> once(static_cast<std::size_t>(subjects), 1);
  const std::vector<double> values = statistics(once);

  // What a resample draws depends on its number alone, so any thread may take it.
  std::vector<std::vector<double>> drawn(static_cast<std::size_t>(options.resamples));
  parallel_for(options.resamples, [&](std::int64_t r) {
    std::vector<double> figures = statistics(draw(subjects, options.seed, r));
    check(figures.size() == values.size(), op, "the statistic gave ", values.size(),
          " figures of the sample and ", figures.size(), " of a resample");
    drawn[static_cast<std::size_t>(r)] = std::move(figures);
  });

  std::vector<Interval> intervals;
  std::vector<double> counted;
  for (std::size_t i = 0; i < values.size(); ++i) {
    counted.clear();
    for (const auto& figures : drawn) {
      if (!std::isnan(figures[i])) counted.push_back(figures[i]);
    }
    std::sort(counted.begin(), counted.end());
    const double none = options.resamples == 0 ? values[i] : std::nan("");
    intervals.push_back({values[i], counted.empty() ? none : quantile(counted, 0.025),
                         counted.empty() ? none : quantile(counted, 0.975)});
  }
  return intervals;
}

Interval bootstrap(std::int64_t subjects,
                   const std::function<double(std::span<const int> times)>& statistic,
                   const BootstrapOptions& options) {
  check(statistic != nullptr, "bootstrap", "there is no statistic");
  return bootstrap_all(
      subjects, [&](std::span<const int> times) { return std::vector<double>{statistic(times)}; },
      options)[0];
}

}  // namespace imago::models
