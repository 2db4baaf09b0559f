// How sure a figure is: percentile intervals by resampling people.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace imago::models {

struct Interval {
  double value = 0;          // of the sample itself
  double low = 0, high = 0;  // 2.5 % and 97.5 % of the resamples; equal to value without any
                             // asked for, NaN where none of them counts
};

struct BootstrapOptions {
  int resamples = 200;  // 0: no interval
  std::uint64_t seed = 1;
};

// `subjects` people (or other units that were drawn independently) are drawn with replacement again
// and again; statistic gets how often each was drawn (all 1 for the sample itself). Images of one
// person are not independent: resampling images, or pairs, would call a figure surer than it is
// (Efron & Tibshirani 1993, chapters 8 and 13). A resample whose statistic is NaN (nobody of a kind
// was drawn) does not count. Several threads call statistic at once. Deterministic, for any number
// of threads.
Interval bootstrap(std::int64_t subjects,
                   const std::function<double(std::span<const int> times)>& statistic,
                   const BootstrapOptions& options = {});

// The same for several figures of one resample.
std::vector<Interval> bootstrap_all(
    std::int64_t subjects,
    const std::function<std::vector<double>(std::span<const int> times)>& statistics,
    const BootstrapOptions& options = {});

}  // namespace imago::models
