// Rates of rare errors, exactly: which counts keep to a rate, and how many trials it takes to speak
// of one. Rates are written in decimals (1e-3), which f64 does not hold, but count / trials rounds
// to the same number as the decimal that it equals; count <= rate * trials may not.
#pragma once

#include <cmath>
#include <cstdint>

namespace imago::models {

// The largest count with count / trials <= rate, of rate >= 0 and trials > 0.
inline std::int64_t allowed_errors(double rate, std::int64_t trials) {
  const double n = static_cast<double>(trials);
  auto count = static_cast<std::int64_t>(std::floor(rate * n));
  if (static_cast<double>(count + 1) / n <= rate) ++count;
  if (static_cast<double>(count) / n > rate) --count;
  return count;
}

// Whether at least 10 errors are expected of so many trials: with fewer, a rate that was kept says
// little about the rate.
inline bool rate_is_supported(double rate, std::int64_t trials) {
  return trials > 0 && 10.0 / static_cast<double>(trials) <= rate;
}

}  // namespace imago::models
