// Intervals by resampling: against what is known of means, and draws that are looked at.
#include "models/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/models/recognition_checks.h"
#include "tests/support/errors.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

// The mean of values[i] that counts times[i / copies].
double mean(const std::vector<double>& values, std::span<const int> times, std::size_t copies = 1) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i] * times[i / copies];
    count += times[i / copies];
  }
  return sum / count;
}

std::vector<double> thirty_percent(std::size_t n, std::size_t copies = 1) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = (i / copies) % 10 < 3;
  return values;
}

}  // namespace

TEST_CASE("bootstrap: the interval of a share is the analytic one") {
  const std::vector<double> values = thirty_percent(400);
  const Interval interval = bootstrap(
      400, [&](std::span<const int> times) { return mean(values, times); }, {.resamples = 2000});
  CHECK(near(interval.value, 0.3));
  const double half = 1.96 * std::sqrt(0.3 * 0.7 / 400);
  CHECK(near(interval.low, 0.3 - half, 0.007));
  CHECK(near(interval.high, 0.3 + half, 0.007));
}

TEST_CASE("bootstrap: copies of an image do not make a figure surer") {
  // 100 people with 4 equal images each: by people the interval is that of 100 images, twice as
  // wide as it looks by images.
  const std::vector<double> values = thirty_percent(400, 4);
  const BootstrapOptions options{.resamples = 1000, .seed = 3};
  const Interval people = bootstrap(
      100, [&](std::span<const int> times) { return mean(values, times, 4); }, options);
  const Interval images = bootstrap(
      400, [&](std::span<const int> times) { return mean(values, times); }, options);
  CHECK(people.value == images.value);
  const double ratio = (people.high - people.low) / (images.high - images.low);
  CHECK(ratio > 1.6);
  CHECK(ratio < 2.4);
}

TEST_CASE("bootstrap: the sample counts everybody once, a resample as many in all") {
  int calls = 0;
  const ContextScope scope;
  set_num_threads(1);
  std::vector<std::vector<int>> seen;
  bootstrap(7,
            [&](std::span<const int> times) {
              ++calls;
              seen.emplace_back(times.begin(), times.end());
              return 0.0;
            },
            {.resamples = 30});
  REQUIRE(calls == 31);
  CHECK(seen[0] == std::vector<int>(7, 1));
  int different = 0;
  std::vector<int> drawn(7);
  for (std::size_t r = 1; r < seen.size(); ++r) {
    CHECK(std::accumulate(seen[r].begin(), seen[r].end(), 0) == 7);
    different += seen[r] != seen[1];
    for (std::size_t i = 0; i < 7; ++i) drawn[i] += seen[r][i];
  }
  CHECK(different >= 28);
  for (const int times : drawn) CHECK(times > 10);  // 30 are expected
}

TEST_CASE("bootstrap: the ends are percentiles of the resamples") {
  const ContextScope scope;
  set_num_threads(1);
  std::vector<double> values;
  const auto statistic = [&](std::span<const int> times) {
    double sum = 0;
    for (std::size_t i = 0; i < times.size(); ++i) sum += times[i] * std::sqrt(double(i));
    values.push_back(sum);
    return sum;
  };
  // Of 41 the second and the last but one; of 21 half way to the next.
  const Interval of_41 = bootstrap(20, statistic, {.resamples = 41});
  CHECK(of_41.value == values[0]);
  std::sort(values.begin() + 1, values.end());
  CHECK(of_41.low == doctest::Approx(values[2]).epsilon(1e-14));
  CHECK(of_41.high == doctest::Approx(values[40]).epsilon(1e-14));
  values.clear();
  const Interval of_21 = bootstrap(20, statistic, {.resamples = 21});
  std::sort(values.begin() + 1, values.end());
  CHECK(of_21.low == doctest::Approx((values[1] + values[2]) / 2).epsilon(1e-14));
  CHECK(of_21.high == doctest::Approx((values[20] + values[21]) / 2).epsilon(1e-14));
}

TEST_CASE("bootstrap: no resamples, and those that do not count") {
  const Interval none = bootstrap(5, [](std::span<const int>) { return 2.5; }, {.resamples = 0});
  CHECK(none.value == 2.5);
  CHECK(none.low == 2.5);
  CHECK(none.high == 2.5);
  // Where person 0 is drawn it is 4, else nothing.
  const Interval some =
      bootstrap(5, [](std::span<const int> times) { return times[0] > 0 ? 4.0 : std::nan(""); });
  CHECK(some.low == 4);
  CHECK(some.high == 4);
  const Interval never = bootstrap(60, [](std::span<const int> times) {
    const bool sample = std::all_of(times.begin(), times.end(), [](int n) { return n == 1; });
    return sample ? 1.0 : std::nan("");
  });
  CHECK(never.value == 1);
  CHECK(std::isnan(never.low));
  CHECK(std::isnan(never.high));
}

TEST_CASE("bootstrap: several figures come of the same draws, with any number of threads") {
  const std::vector<double> values = thirty_percent(50);
  const auto one = [&](std::span<const int> times) { return mean(values, times); };
  const auto two = [&](std::span<const int> times) {
    return std::vector<double>{one(times), 2 * one(times)};
  };
  const std::vector<Interval> both = bootstrap_all(50, two, {.seed = 9});
  REQUIRE(both.size() == 2);
  CHECK(near(both[0], bootstrap(50, one, {.seed = 9})));
  CHECK(near(both[1].low, 2 * both[0].low));
  CHECK(both[0].low < both[0].value);
  CHECK(both[0].value < both[0].high);
  CHECK(same_with_threads([&] {
    std::vector<double> figures;
    for (const Interval& interval : bootstrap_all(50, two)) append(figures, interval);
    return figures;
  }));
  // Another seed draws others.
  const auto weighted = [](std::span<const int> times) {
    double sum = 0;
    for (std::size_t i = 0; i < times.size(); ++i) sum += times[i] * std::sqrt(double(i));
    return sum;
  };
  CHECK(bootstrap(50, weighted, {.seed = 1}).low != bootstrap(50, weighted, {.seed = 2}).low);
}

TEST_CASE("bootstrap: what it cannot do") {
  const auto zero = [](std::span<const int>) { return 0.0; };
  CHECK(contains(error_of([&] { bootstrap(0, zero); }), "there must be somebody to draw"));
  CHECK(contains(error_of([&] { bootstrap(std::int64_t{1} << 31, zero); }), "fewer than 2^31"));
  CHECK(contains(error_of([&] { bootstrap(3, zero, {.resamples = -1}); }), "negative"));
  CHECK(contains(error_of([&] { bootstrap(3, nullptr); }), "no statistic"));
  CHECK(contains(error_of([&] { bootstrap_all(3, nullptr); }), "no statistic"));
  CHECK(contains(error_of([&] {
                   bootstrap_all(3, [](std::span<const int> times) {
                     const bool sample = times[0] == 1 && times[1] == 1;
                     return std::vector<double>(sample ? 2 : 1);
                   });
                 }),
                 "2 figures of the sample and 1 of a resample"));
}
