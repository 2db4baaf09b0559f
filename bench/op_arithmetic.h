// The arithmetic of the elementwise functions, for floors where it takes longer than memory.
//
// Counted in kernels/elementwise/math*.h and tensor/philox.h, per element in f32: every addition,
// multiplication, comparison, choice and operation on bits is one SIMD instruction, of which a core
// starts as many as fused multiply-adds; a division or a square root takes the time of several.
// Those of f64 fill a vector with half as many elements and count twice.
#pragma once

#include "kernels/elementwise/elementwise.h"

namespace imago::bench {

inline constexpr double division = 8;  // a vector takes 4 to 5 cycles
inline constexpr double exp_instructions = 32;
inline constexpr double log_instructions = 33 + division;
inline constexpr double sigmoid_instructions = exp_instructions + 5 + division;
inline constexpr double sigmoid_pair_instructions = exp_instructions + 7 + division;
inline constexpr double normal_tail_instructions = exp_instructions + 31 + division;
inline constexpr double pow_instructions = 2 * (65 + division) + 20;  // mostly f64
// tensor/philox.h: ten rounds for 4 elements, of two products twice as wide as their factors, which
// count twice, and four exclusive ors; then a shift, a conversion and a product.
inline constexpr double philox_instructions = 10 * (2 * 2 + 4) / 4.0;
inline constexpr double uniform_instructions = philox_instructions + 3;
// A logarithm, a root, a sine, a cosine and the choice of a quarter for two elements.
inline constexpr double normal_instructions = philox_instructions + (66 + 2 * division) / 2;

// 0 for a handful of instructions, which memory always outlasts.
constexpr double instructions_of(kernels::Unary op) {
  using kernels::Unary;
  switch (op) {
    case Unary::exp:
      return exp_instructions;
    case Unary::log:
      return log_instructions;
    case Unary::sqrt:
    case Unary::reciprocal:
      return division;
    case Unary::rsqrt:
      return 2 * division;
    case Unary::tanh:
      return exp_instructions + 18 + division;
    case Unary::sigmoid:
      return sigmoid_instructions;
    case Unary::softplus:
      return exp_instructions + 23 + division;
    case Unary::pow:
      return pow_instructions;
    case Unary::erf:
      return normal_tail_instructions + 20;
    case Unary::gelu:
      return normal_tail_instructions + 6;
    case Unary::gelu_tanh:
      return sigmoid_instructions + 8;
    case Unary::silu:
      return sigmoid_instructions + 3;
    default:
      return 0;
  }
}

constexpr double instructions_of(kernels::Binary op) {
  using kernels::Binary;
  switch (op) {
    case Binary::div:
      return division;
    case Binary::pow:
      return pow_instructions;
    case Binary::gelu_grad:
      return normal_tail_instructions + 9;
    case Binary::gelu_tanh_grad:
      return sigmoid_pair_instructions + 16;
    case Binary::silu_grad:
      return sigmoid_pair_instructions + 6;
    default:
      return 0;
  }
}

}  // namespace imago::bench
