// How far a result may be from the true value when it was computed in floating point. One place
// for all tests and benches, so that no bound is widened unseen.
#pragma once

#include <cmath>
#include <cstdint>

#include "tensor/dtype.h"

namespace imago::kernels {

// The distance from 1 to the next larger number.
inline double epsilon(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 0x1p-52;
    case DType::f32:
      return 0x1p-23;
    case DType::bf16:
      return 0x1p-7;
    default:
      fail("epsilon", "integers have no rounding error, but ", dtype);
  }
}

// The largest error of one sum of `terms` products of `in` numbers, accumulated in any order in
// acc_t and stored as `out`. `scale` is the largest magnitude among the true results.
//
// A sum of n independent terms of one sign-symmetric distribution has partial sums that grow as
// sqrt(i), so its rounding error is about 0.2 eps sqrt(n) times its own standard deviation; the
// constant leaves room for the largest of millions of elements. Storing adds half an epsilon.
inline double sum_tolerance(DType in, DType out, std::int64_t terms, double scale) {
  const double acc = epsilon(acc_dtype(in)) * std::sqrt(static_cast<double>(terms));
  const double store = out == acc_dtype(in) ? 0.0 : 0.5 * epsilon(out);
  return (2.0 * acc + store) * scale;
}

}  // namespace imago::kernels
