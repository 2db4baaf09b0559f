// What the tables of rows share: names, and comparison with a reference in f64.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "kernels/elementwise/elementwise.h"

namespace imago::bench {

inline Tensor wide(const Tensor& t) {
  return kernels::cast(t, DType::f64);
}

// Every element of `got` within tolerance(want) of `want`, which is f64.
inline bool close(const Tensor& got, const Tensor& want,
                  const std::function<double(double)>& tolerance) {
  const Tensor g = wide(got);
  for (std::int64_t i = 0; i < g.numel(); ++i) {
    const double value = want.data<double>()[i];
    if (!(std::fabs(g.data<double>()[i] - value) <= tolerance(value))) return false;
  }
  return true;
}

inline bool close_within(const Tensor& got, const Tensor& want, double bound) {
  return close(got, want, [=](double) { return bound; });
}

inline double largest(const Tensor& x) {
  const Tensor w = wide(x);
  double most = 0;
  for (std::int64_t i = 0; i < w.numel(); ++i)
    most = std::max(most, std::fabs(w.data<double>()[i]));
  return most;
}

inline std::string row_name(const std::string& op, DType dtype) {
  return op + "/" + name_of(dtype);
}

}  // namespace imago::bench
