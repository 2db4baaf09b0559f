// What the reductions other than floating-point sums have in common on every device: how an element
// is seen, and how two are joined. NaN wins over every number in `larger` and `smaller`.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "kernels/elementwise/math.h"
#include "tensor/dtype.h"

namespace imago::kernels {

enum class Fold { max, min, sum, sum_abs, sum_squares, logsumexp };

// What elements of T are compared and summed in: acc_t, or for integers themselves.
template <class T>
using fold_t = std::conditional_t<std::is_integral_v<T>, T, acc_t<T>>;

// What the fold of T elements is stored as: T for max and min, i64 for integer sums, else acc_t.
template <Fold op, class T>
using folded_t =
    std::conditional_t<op == Fold::max || op == Fold::min, T,
                       std::conditional_t<std::is_integral_v<T>, std::int64_t, acc_t<T>>>;

// The fold that joins partial results.
constexpr Fold joining(Fold op) {
  return op == Fold::sum_abs || op == Fold::sum_squares ? Fold::sum : op;
}

template <class C>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline C larger(C a, C b) {
  const C m = b > a ? b : a;
  return b == b ? m : b;
}
template <class C>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline C smaller(C a, C b) {
  const C m = b < a ? b : a;
  return b == b ? m : b;
}

// What takes the place of no element.
template <Fold op, class C>
[[gnu::always_inline]] IMAGO_HOST_DEVICE constexpr C fold_nothing() {
  if constexpr (op == Fold::max || op == Fold::logsumexp) {
    if constexpr (std::is_integral_v<C>) return std::numeric_limits<C>::min();
    return -std::numeric_limits<C>::infinity();
  }
  if constexpr (op == Fold::min) {
    if constexpr (std::is_integral_v<C>) return std::numeric_limits<C>::max();
    return std::numeric_limits<C>::infinity();
  }
  return C(0);
}

// An element as it is folded. logsumexp is made of two folds, of which this is the first: its
// largest element; see log_base.
template <Fold op, class C>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline C fold_lift(C v) {
  if constexpr (op == Fold::sum_abs) return std::fabs(v);
  if constexpr (op == Fold::sum_squares) return v * v;
  return v;
}
template <Fold op, class C>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline C fold_join(C a, C b) {
  if constexpr (op == Fold::max || op == Fold::logsumexp) return larger(a, b);
  if constexpr (op == Fold::min) return smaller(a, b);
  return a + b;
}

// What is subtracted before e^x is taken: the largest, or 0 where that is no finite number and
// would make NaN of infinity.
template <class C>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline C log_base(C largest) {
  return largest - largest == C(0) ? largest : C(0);
}

}  // namespace imago::kernels
