// Functions of one argument; see formulas.h.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "kernels/elementwise/math.h"
#include "kernels/elementwise/math_normal.h"
#include "kernels/elementwise/math_pow.h"

namespace imago::kernels {

enum class Unary {
  neg,
  exp,
  log,
  sqrt,
  square,
  tanh,
  sigmoid,
  softplus,
  relu,
  leaky_relu,  // a: slope
  abs,
  scale,       // a: factor
  add_scalar,  // a: term
  rsqrt,
  reciprocal,
  pow,  // a: exponent
  sign,
  clamp,  // a, b: bounds
  erf,
  gelu,
  gelu_tanh,
  silu,
};

inline constexpr std::array unary_names{
    "neg",  "exp",        "log", "sqrt",  "square",     "tanh",  "sigmoid",    "softplus",
    "relu", "leaky_relu", "abs", "scale", "add_scalar", "rsqrt", "reciprocal", "pow",
    "sign", "clamp",      "erf", "gelu",  "gelu_tanh",  "silu"};

template <Unary op, class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T formula(T x, [[maybe_unused]] T a,
                                                          [[maybe_unused]] T b) {
  if constexpr (op == Unary::neg) return -x;
  if constexpr (op == Unary::exp) return math::exp(x);
  if constexpr (op == Unary::log) return math::log(x);
  if constexpr (op == Unary::sqrt) return math::sqrt(x);
  if constexpr (op == Unary::square) return x * x;
  if constexpr (op == Unary::tanh) return math::tanh(x);
  if constexpr (op == Unary::sigmoid) return math::sigmoid(x);
  if constexpr (op == Unary::softplus) return math::softplus(x);
  if constexpr (op == Unary::relu) return x < T(0) ? T(0) : x;  // keeps NaN
  if constexpr (op == Unary::leaky_relu) return x > T(0) ? x : a * x;
  if constexpr (op == Unary::abs) return std::fabs(x);
  if constexpr (op == Unary::scale) return a * x;
  if constexpr (op == Unary::add_scalar) return x + a;
  if constexpr (op == Unary::rsqrt) return T(1) / math::sqrt(x);
  if constexpr (op == Unary::reciprocal) return T(1) / x;
  if constexpr (op == Unary::pow) return math::pow(x, a);
  if constexpr (op == Unary::sign) return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;
  if constexpr (op == Unary::clamp) return x < a ? a : x > b ? b : x;
  if constexpr (op == Unary::erf) return math::erf(x);
  if constexpr (op == Unary::gelu) return math::gelu(x);
  if constexpr (op == Unary::gelu_tanh) return math::gelu_tanh(x);
  if constexpr (op == Unary::silu) return math::silu(x);
}

// Calls f.template operator()<op>() with the run-time `op` as a template argument.
template <class F>
[[gnu::always_inline]] inline void with_op(Unary op, F&& f) {
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((op == static_cast<Unary>(i) ? f.template operator()<static_cast<Unary>(i)>() : void()), ...);
  }
  (std::make_index_sequence<unary_names.size()>());
}

}  // namespace imago::kernels
