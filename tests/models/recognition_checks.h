// What the tests of recognition share.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/parallel.h"
#include "models/bootstrap.h"
#include "tests/nn/goldens.h"

namespace imago::test {

inline std::vector<double> numbers(const Tensor& t) {
  const Tensor x = to_f64(t);
  return {x.data<double>(), x.data<double>() + x.numel()};
}

inline std::vector<std::int64_t> integers(const Tensor& t) {
  std::vector<std::int64_t> result;
  for (const double value : numbers(t)) result.push_back(std::llround(value));
  return result;
}

// NaN is close to nothing.
inline bool near(double actual, double expected, double bound = 1e-12) {
  return std::abs(actual - expected) <= bound;
}

inline bool near(const models::Interval& a, const models::Interval& b) {
  return near(a.value, b.value) && near(a.low, b.low) && near(a.high, b.high);
}

inline bool is_nan(const models::Interval& i) {
  return std::isnan(i.value) && std::isnan(i.low) && std::isnan(i.high);
}

inline void append(std::vector<double>& to, const models::Interval& interval) {
  to.insert(to.end(), {interval.value, interval.low, interval.high});
}

inline bool same_bytes(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// Whether f gives the same bytes with 1, 2 and 3 threads, and shares its work where it may.
template <class F>
bool same_with_threads(F&& f) {
  const ContextScope scope;
  std::vector<double> first;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const auto before = Context::current().shared_regions;
    const std::vector<double> values = f();
    if (threads == 1) first = values;
    if (!same_bytes(values, first)) return false;
    if (threads > 1 && has_threads && Context::current().shared_regions == before) return false;
  }
  return !first.empty();
}

}  // namespace imago::test
