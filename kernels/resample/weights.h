// The weights of resampling along one axis, in whole numbers; resample.h has the formula. The
// functions are constexpr so that device code may call them. Extents are below 2^29.
#pragma once

#include "kernels/resample/resample.h"

namespace imago::kernels {

// Places [begin, end).
struct PlaceRange {
  std::int64_t begin, end;
};

struct ResampleAxis {
  std::int64_t in, out;
  Filter filter;

  // Half the width of the triangle, in units of 1 / (2 in out) of the axis.
  constexpr std::int64_t reach() const {
    return 2 * (filter == Filter::bilinear_antialias && in > out ? in : out);
  }
  constexpr std::int64_t triangle(std::int64_t i, std::int64_t j) const {
    const std::int64_t apart = (2 * j + 1) * out - (2 * i + 1) * in;
    return reach() - (apart < 0 ? -apart : apart);
  }

  // The places of the argument that place i of the result shows; at least one.
  constexpr PlaceRange sources(std::int64_t i) const {
    const std::int64_t centre = (2 * i + 1) * in;
    if (filter == Filter::nearest) {
      const std::int64_t at = centre / (2 * out);
      return {at, at + 1};
    }
    // (2 j + 1) out is more than centre - reach and less than centre + reach.
    return {past(centre - reach() - out, 2 * out, in), from(centre + reach() - out, 2 * out, in)};
  }

  // The places of the result that show place j of the argument; may be none.
  constexpr PlaceRange targets(std::int64_t j) const {
    if (filter == Filter::nearest) {
      return {from(2 * j * out - in, 2 * in, out), from(2 * (j + 1) * out - in, 2 * in, out)};
    }
    const std::int64_t centre = (2 * j + 1) * out;
    return {past(centre - reach() - in, 2 * in, out), from(centre + reach() - in, 2 * in, out)};
  }

  // How many sources or targets a place has at most.
  constexpr std::int64_t most_sources() const {
    return filter == Filter::nearest ? 1 : (reach() + out - 1) / out;
  }
  constexpr std::int64_t most_targets() const {
    return ((filter == Filter::nearest ? out : reach()) + in - 1) / in;
  }

  // The sum of the triangle over sources(i): two arithmetic series, up to the centre and beyond it.
  constexpr std::int64_t total(std::int64_t i) const {
    const PlaceRange range = sources(i);
    const std::int64_t last = ((2 * i + 1) * in - out) / (2 * out);  // with (2 j + 1) out <= centre
    std::int64_t middle = (2 * i + 1) * in < out ? range.begin : last + 1;
    if (middle > range.end) middle = range.end;
    const std::int64_t rising = middle - range.begin, falling = range.end - middle;
    std::int64_t sum = 0;
    if (rising > 0) sum += rising * (triangle(i, range.begin) + out * (rising - 1));
    if (falling > 0) sum += falling * (triangle(i, middle) - out * (falling - 1));
    return sum;
  }

  // The weight of place j of the argument, one of sources(i), in place i of the result.
  template <class A>
  constexpr A weight(std::int64_t i, std::int64_t j) const {
    if (filter == Filter::nearest) return A(1);
    return static_cast<A>(triangle(i, j)) / static_cast<A>(total(i));
  }

 private:
  // The first k in [0, limit] with k * step > a, and with k * step >= a.
  static constexpr std::int64_t past(std::int64_t a, std::int64_t step, std::int64_t limit) {
    const std::int64_t k = a < 0 ? 0 : a / step + 1;
    return k < limit ? k : limit;
  }
  static constexpr std::int64_t from(std::int64_t a, std::int64_t step, std::int64_t limit) {
    const std::int64_t k = a <= 0 ? 0 : (a + step - 1) / step;
    return k < limit ? k : limit;
  }
};

}  // namespace imago::kernels
