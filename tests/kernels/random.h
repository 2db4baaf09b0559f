// Inputs for kernel tests, made on the device of the Context, and the comparison of results.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/context.h"
#include "tensor/random_stream.h"
#include "tensor/tensor.h"

namespace imago::test {

template <class F>
Tensor filled(const Shape& shape, DType dtype, F&& next) {
  Tensor t = Tensor::empty(shape, dtype, Device::cpu());
  dispatch<float, double, bf16>(dtype, "filled", [&]<class T> {
    T* p = t.mutable_data<T>();
    for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = T(next());
  });
  return t.to(Context::current().device);
}

// Integers in [-3, 3]: sums of up to 2^24 / 9 products are exact in f32.
inline Tensor small_integers(const Shape& shape, DType dtype, std::uint64_t seed) {
  RandomStream stream(seed);
  return filled(shape, dtype, [&] { return static_cast<float>(stream.below(7)) - 3.0f; });
}

inline Tensor normals(const Shape& shape, DType dtype, std::uint64_t seed) {
  RandomStream stream(seed);
  return filled(shape, dtype, [&] { return stream.normal(); });
}

// A copy of `t` on its device that starts one element past a multiple of 16 bytes.
inline Tensor off_boundary(const Tensor& t) {
  const Tensor flat = t.reshape({t.numel()}).to(Device::cpu());
  Tensor longer = Tensor::empty({t.numel() + 1}, t.dtype(), Device::cpu());
  std::memcpy(longer.mutable_bytes() + size_of(t.dtype()), flat.bytes(), flat.nbytes());
  return longer.to(t.device()).slice(1, t.numel() + 1).reshape(t.shape());
}

// On the host.
inline Tensor to_f64(const Tensor& t) {
  Tensor out = Tensor::empty(t.shape(), DType::f64, Device::cpu());
  double* p = out.mutable_data<double>();
  const Tensor host = t.to(Device::cpu());
  dispatch<float, double, bf16>(t.dtype(), "to_f64", [&]<class T> {
    const T* source = host.data<T>();
    for (std::int64_t i = 0; i < t.numel(); ++i) p[i] = static_cast<double>(source[i]);
  });
  return out;
}

inline double dot(const Tensor& a, const Tensor& b) {
  const Tensor x = to_f64(a), y = to_f64(b);
  double sum = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) sum += x.data<double>()[i] * y.data<double>()[i];
  return sum;
}

inline double largest(const Tensor& t) {
  const Tensor x = to_f64(t);
  double most = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    most = std::fmax(most, std::fabs(x.data<double>()[i]));
  }
  return most;
}

// The largest difference; NaN if there is a NaN on either side or the shapes differ.
inline double largest_error(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape())) return std::nan("");
  const Tensor x = to_f64(a), y = to_f64(b);
  double most = 0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const double error = std::fabs(x.data<double>()[i] - y.data<double>()[i]);
    if (!(error <= most)) most = error;
    if (std::isnan(most)) return most;
  }
  return most;
}

}  // namespace imago::test
