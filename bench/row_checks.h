// What the tables of rows share: names, indices, and comparison with a reference in f64.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>

#include "kernels/elementwise/elementwise.h"
#include "tensor/random_stream.h"

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

// i64 on the CPU, each in [0, extent).
inline Tensor indices_below(std::int64_t extent, const Shape& shape) {
  RandomStream stream(7);
  Tensor t = Tensor::empty(shape, DType::i64, Device::cpu());
  std::int64_t* p = t.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    p[i] = static_cast<std::int64_t>(stream.below(static_cast<std::uint32_t>(extent)));
  }
  return t;
}

inline std::string row_name(const std::string& op, DType dtype) {
  return op + "/" + name_of(dtype);
}

}  // namespace imago::bench
