// What each elementwise operation computes, once for every backend: the CPU loops, the reference
// and the CUDA kernels call these. T is f32 or f64; bf16 elements are computed in f32. `a` is the
// operation's parameter (a slope, a factor), 0 where it has none.
#pragma once

#include "kernels/elementwise/math.h"

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
  leaky_relu,
  abs,
  scale,
  add_scalar,
};

// The gradient kernels take (dy, y) or (dy, x).
enum class Binary {
  add,
  sub,
  mul,
  div,
  tanh_grad,
  sigmoid_grad,
  relu_grad,
  leaky_relu_grad,
  abs_grad,
};

template <Unary op, class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T formula(T x, [[maybe_unused]] T a) {
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
}

template <Binary op, class T>
[[gnu::always_inline]] IMAGO_HOST_DEVICE inline T formula(T x, T y, [[maybe_unused]] T a) {
  if constexpr (op == Binary::add) return x + y;
  if constexpr (op == Binary::sub) return x - y;
  if constexpr (op == Binary::mul) return x * y;
  if constexpr (op == Binary::div) return x / y;
  if constexpr (op == Binary::tanh_grad) return x * (T(1) - y * y);
  if constexpr (op == Binary::sigmoid_grad) return x * (y * (T(1) - y));
  if constexpr (op == Binary::relu_grad) return y > T(0) ? x : T(0);
  if constexpr (op == Binary::leaky_relu_grad) return y > T(0) ? x : a * x;
  if constexpr (op == Binary::abs_grad) return y > T(0) ? x : y < T(0) ? -x : T(0);
}

// Calls f.template operator()<op>() with the run-time `op` as a template argument.
template <class F>
[[gnu::always_inline]] inline void with_op(Unary op, F&& f) {
  switch (op) {
    case Unary::neg:
      return f.template operator()<Unary::neg>();
    case Unary::exp:
      return f.template operator()<Unary::exp>();
    case Unary::log:
      return f.template operator()<Unary::log>();
    case Unary::sqrt:
      return f.template operator()<Unary::sqrt>();
    case Unary::square:
      return f.template operator()<Unary::square>();
    case Unary::tanh:
      return f.template operator()<Unary::tanh>();
    case Unary::sigmoid:
      return f.template operator()<Unary::sigmoid>();
    case Unary::softplus:
      return f.template operator()<Unary::softplus>();
    case Unary::relu:
      return f.template operator()<Unary::relu>();
    case Unary::leaky_relu:
      return f.template operator()<Unary::leaky_relu>();
    case Unary::abs:
      return f.template operator()<Unary::abs>();
    case Unary::scale:
      return f.template operator()<Unary::scale>();
    case Unary::add_scalar:
      return f.template operator()<Unary::add_scalar>();
  }
}

template <class F>
[[gnu::always_inline]] inline void with_op(Binary op, F&& f) {
  switch (op) {
    case Binary::add:
      return f.template operator()<Binary::add>();
    case Binary::sub:
      return f.template operator()<Binary::sub>();
    case Binary::mul:
      return f.template operator()<Binary::mul>();
    case Binary::div:
      return f.template operator()<Binary::div>();
    case Binary::tanh_grad:
      return f.template operator()<Binary::tanh_grad>();
    case Binary::sigmoid_grad:
      return f.template operator()<Binary::sigmoid_grad>();
    case Binary::relu_grad:
      return f.template operator()<Binary::relu_grad>();
    case Binary::leaky_relu_grad:
      return f.template operator()<Binary::leaky_relu_grad>();
    case Binary::abs_grad:
      return f.template operator()<Binary::abs_grad>();
  }
}

}  // namespace imago::kernels
