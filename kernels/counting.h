// 0, 1, 2, ...: coordinates, from which masks and indices are computed.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::kernels {

// The numbers 0 .. n - 1 (n) in f64, written on the host and copied to `device`.
inline Tensor counting(std::int64_t n, Device device) {
  Tensor numbers = Tensor::empty({n}, DType::f64, Device::cpu());
  double* p = numbers.mutable_data<double>();
  for (std::int64_t i = 0; i < n; ++i) p[i] = static_cast<double>(i);
  return numbers.to(device);
}

}  // namespace imago::kernels
