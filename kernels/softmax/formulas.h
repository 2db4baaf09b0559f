// What softmax and its relatives compute for one element, once for every backend. Each works in two
// steps: a sum over the row (of e^x from its base; of products of the gradients), then a map.
#pragma once

#include "kernels/reduce/fold.h"
#include "kernels/softmax/softmax.h"

namespace imago::kernels {

// Whether a largest element is looked for first; without one the base is 0. Where it is infinite or
// NaN, so is the row: its differences from the base are NaN.
constexpr bool has_base(Softmax op) {
  return op == Softmax::softmax || op == Softmax::log_softmax;
}

// A term of the sum. a is x or dy, b is y.
template <Softmax op, class A>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline A softmax_term(A a, [[maybe_unused]] A b,
                                                               [[maybe_unused]] A base) {
  if constexpr (has_base(op)) return math::exp(a - base);
  if constexpr (op == Softmax::softmax_grad) return a * b;
  return a;
}

// What of the sum is needed for each element.
template <Softmax op, class A>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline A softmax_factor(A sum) {
  if constexpr (op == Softmax::softmax) return A(1) / sum;
  if constexpr (op == Softmax::log_softmax) return math::log(sum);
  return sum;
}

// An element of the result. `term` is its softmax_term.
template <Softmax op, class A>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline A softmax_value(A a, [[maybe_unused]] A b,
                                                                [[maybe_unused]] A base,
                                                                [[maybe_unused]] A term, A factor) {
  if constexpr (op == Softmax::softmax) return term * factor;
  if constexpr (op == Softmax::log_softmax) return (a - base) - factor;
  if constexpr (op == Softmax::softmax_grad) return b * (a - factor);
  return a - math::exp(b) * factor;
}

template <class F>
void with_softmax(Softmax op, F&& f) {
  switch (op) {
    case Softmax::softmax:
      return f.template operator()<Softmax::softmax>();
    case Softmax::log_softmax:
      return f.template operator()<Softmax::log_softmax>();
    case Softmax::softmax_grad:
      return f.template operator()<Softmax::softmax_grad>();
    case Softmax::log_softmax_grad:
      return f.template operator()<Softmax::log_softmax_grad>();
  }
}

}  // namespace imago::kernels
