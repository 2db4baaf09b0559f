// The update of one element, for both devices, and the inner loop of adam.cpp over one contiguous
// slice, on one CPU thread.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/adam/adam.h"
#include "tensor/host_device.h"

namespace imago::kernels {

template <class T>
struct AdamSlice {
  T* p;
  const T* g;
  T* m;
  T* v;
  std::int64_t n;
};

template <class T>
struct AdamFactors {
  T one_minus_beta1, beta2, one_minus_beta2, eps, weight_decay;
  T step_size;     // lr / (1 - beta1^t)
  T inverse_root;  // 1 / sqrt(1 - beta2^t)
};

// Those that are constant over a run, made in f64 and rounded once; the last two are 0.
template <class T>
AdamFactors<T> adam_factors(const AdamConstants& constants) {
  return {.one_minus_beta1 = static_cast<T>(1.0 - constants.beta1),
          .beta2 = static_cast<T>(constants.beta2),
          .one_minus_beta2 = static_cast<T>(1.0 - constants.beta2),
          .eps = static_cast<T>(constants.eps),
          .weight_decay = static_cast<T>(constants.weight_decay),
          .step_size = T(0),
          .inverse_root = T(0)};
}

// One element of the formula in adam.h.
template <class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline void adam_element(T& p, T g, T& m, T& v,
                                                                  const AdamFactors<T>& f) {
  g = g + f.weight_decay * p;
  m = m + f.one_minus_beta1 * (g - m);
  v = f.beta2 * v + f.one_minus_beta2 * (g * g);
  p = p - f.step_size * (m / (std::sqrt(v) * f.inverse_root + f.eps));
}

void adam_slice(const AdamSlice<float>& slice, const AdamFactors<float>& factors);
void adam_slice(const AdamSlice<double>& slice, const AdamFactors<double>& factors);

}  // namespace imago::kernels
