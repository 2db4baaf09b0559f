// Which kinds of images a generator makes, and which it has forgotten: a histogram over
// combinations of attributes ("glasses clear, beard full, hair short, skin dark") of fakes against
// reals.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace imago::models {

// A combination of attributes and how often it came.
struct Mode {
  std::vector<std::int64_t> values;  // one for each attribute
  std::int64_t real = 0, fake = 0;   // samples

  bool operator==(const Mode&) const = default;
};

struct ModeCoverage {
  std::int64_t modes = 0;     // combinations that at least `least` of the reals have
  std::int64_t covered = 0;   // of those, that at least one fake has
  double mass = 0;            // the share of those reals in `modes` whose combination is covered
  double difference = 0;      // total variation of the two histograms, 0 .. 1: half the sum of the
                              // differences of shares, over all combinations
  double invented = 0;        // the share of fakes whose combination no real has
  std::vector<Mode> missing;  // modes that are not covered, those of most reals first
};

// fake (N, A), real (M, A), i64: the values of A attributes for each sample. With as many fakes as
// reals, a generator that draws like the reals misses a mode of `least` reals or more with a chance
// below e^-least, 0.7% by default. Throws for fewer than one sample and for differing A.
ModeCoverage mode_coverage(const Tensor& fake, const Tensor& real, std::int64_t least = 5);

// The columns of values (N, A) that are asked for, in that order: (N, columns).
Tensor select_attributes(const Tensor& values, const std::vector<std::int64_t>& columns);

}  // namespace imago::models
