// Measures of procedural pictures, and what holds for all of them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "data/procedural/faces.h"

namespace imago::data::test {

inline double mean_distance(const FaceImage& a, const FaceImage& b) {
  REQUIRE(a.rgb.size() == b.rgb.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    sum += std::abs(static_cast<int>(a.rgb[i]) - static_cast<int>(b.rgb[i]));
  }
  return sum / static_cast<double>(a.rgb.size());
}

inline double share(const std::vector<std::uint8_t>& mask) {
  double sum = 0;
  for (const std::uint8_t m : mask) sum += m;
  return sum / (255.0 * static_cast<double>(mask.size()));
}

// What holds for every picture: sizes, finite landmarks, a face that is there and part of the
// person, and some contrast (a NaN anywhere would have turned pixels black or white in tiles).
inline void check_sound(const FaceImage& image, int size) {
  REQUIRE(image.size == size);
  const std::size_t n = static_cast<std::size_t>(size) * size;
  REQUIRE(image.rgb.size() == 3 * n);
  REQUIRE(image.mask.size() == n);
  REQUIRE(image.matte.size() == n);
  for (const Point& p : image.landmarks) {
    CHECK(std::isfinite(p.x));
    CHECK(std::isfinite(p.y));
  }
  CHECK(share(image.mask) > 0.04);
  CHECK(share(image.mask) < 0.98);
  CHECK(share(image.matte) >= share(image.mask) - 1e-3);
  int low = 255, high = 0;
  for (const std::uint8_t v : image.rgb) low = std::min<int>(low, v), high = std::max<int>(high, v);
  CHECK(high - low > 20);
}

}  // namespace imago::data::test
