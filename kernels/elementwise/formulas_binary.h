// Functions of two arguments; see formulas.h.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "kernels/elementwise/math.h"
#include "kernels/elementwise/math_normal.h"
#include "kernels/elementwise/math_pow.h"

namespace imago::kernels {

// Those that broadcast, then the gradient kernels, which take (dy, y) or (dy, x) of one shape.
enum class Binary {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  greater_share,
  pow,
  prelu,
  prelu_factor,
  tanh_grad,
  sigmoid_grad,
  relu_grad,
  leaky_relu_grad,  // a: slope
  abs_grad,
  clamp_grad,  // a, b: bounds
  gelu_grad,
  gelu_tanh_grad,
  silu_grad,
  prelu_slope_grad,
};

inline constexpr std::array binary_names{"add",           "sub",
                                         "mul",           "div",
                                         "maximum",       "minimum",
                                         "greater_share", "pow",
                                         "prelu",         "prelu_factor",
                                         "tanh_grad",     "sigmoid_grad",
                                         "relu_grad",     "leaky_relu_grad",
                                         "abs_grad",      "clamp_grad",
                                         "gelu_grad",     "gelu_tanh_grad",
                                         "silu_grad",     "prelu_slope_grad"};

constexpr bool broadcasts(Binary op) {
  return op < Binary::tanh_grad;
}

template <Binary op, class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T formula(T x, T y, [[maybe_unused]] T a,
                                                          [[maybe_unused]] T b) {
  if constexpr (op == Binary::add) return x + y;
  if constexpr (op == Binary::sub) return x - y;
  if constexpr (op == Binary::mul) return x * y;
  if constexpr (op == Binary::div) return x / y;
  if constexpr (op == Binary::maximum) return (x > y) | (x != x) ? x : y;
  if constexpr (op == Binary::minimum) return (x < y) | (x != x) ? x : y;
  if constexpr (op == Binary::greater_share) return x > y ? T(1) : y > x ? T(0) : T(0.5);
  if constexpr (op == Binary::pow) return math::pow(x, y);
  if constexpr (op == Binary::prelu) return x > T(0) ? x : y * x;
  if constexpr (op == Binary::prelu_factor) return x > T(0) ? T(1) : y;
  if constexpr (op == Binary::tanh_grad) return x * (T(1) - y * y);
  if constexpr (op == Binary::sigmoid_grad) return x * (y * (T(1) - y));
  if constexpr (op == Binary::relu_grad) return y > T(0) ? x : T(0);
  if constexpr (op == Binary::leaky_relu_grad) return y > T(0) ? x : a * x;
  if constexpr (op == Binary::abs_grad) return y > T(0) ? x : y < T(0) ? -x : T(0);
  if constexpr (op == Binary::clamp_grad) return (y >= a) & (y <= b) ? x : T(0);
  if constexpr (op == Binary::gelu_grad) return x * math::gelu_slope(y);
  if constexpr (op == Binary::gelu_tanh_grad) return x * math::gelu_tanh_slope(y);
  if constexpr (op == Binary::silu_grad) return x * math::silu_slope(y);
  if constexpr (op == Binary::prelu_slope_grad) return y > T(0) ? T(0) : x * y;
}

// Calls f.template operator()<op>() with the run-time `op` as a template argument.
template <class F>
[[gnu::always_inline]] inline void with_op(Binary op, F&& f) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((op == static_cast<Binary>(i) ? f.template operator()<static_cast<Binary>(i)>() : void()),
     ...);
  }
  (std::make_index_sequence<binary_names.size()>());
}

}  // namespace imago::kernels
