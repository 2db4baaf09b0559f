// Equality of results that two devices work out in the same way.
#pragma once

#include <cmath>
#include <cstring>

#include "tensor/tensor.h"

namespace imago::test {

// Equal shape, dtype and bits, but that any NaN equals any NaN: its sign and payload come from the
// machine's idea of an invalid operation.
inline bool same_values(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined() || a.dtype() != b.dtype() || a.shape() != b.shape()) {
    return false;
  }
  const Tensor x = a.to(Device::cpu()), y = b.to(Device::cpu());
  bool same = true;
  dispatch<float, double, bf16>(a.dtype(), "same_values", [&]<class T> {
    const T* p = x.data<T>();
    const T* q = y.data<T>();
    for (std::int64_t i = 0; i < x.numel() && same; ++i) {
      same = std::memcmp(p + i, q + i, sizeof(T)) == 0 ||
             (std::isnan(static_cast<acc_t<T>>(p[i])) && std::isnan(static_cast<acc_t<T>>(q[i])));
    }
  });
  return same;
}

}  // namespace imago::test
