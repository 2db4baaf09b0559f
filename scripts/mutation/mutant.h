// What a mutated kernel source is written in: all its mutants at once, of which the environment
// variable IMAGO_MUTANT picks one, so that a source is compiled once and not once per mutant.
//
//   __syncthreads();   becomes   { if (!mutant::on(7)) __syncthreads(); }
//   i < n              becomes   i < mutant::less(8) > n
//
// The second line parses as (i < shift) > n with operands as far as those of `i < n` reach, since
// all four comparisons bind alike; the operators below compare as before or, in mutant 8, as
// `i <= n` does. Nothing here is constexpr: a comparison in a constant expression has no mutant
// that can be chosen at run time, and the compiler says so.
#pragma once

// `i < n < m` is a mistake where nobody means what is meant here.
#pragma GCC diagnostic ignored "-Wparentheses"

#include <cstdlib>

namespace mutant {

inline const int chosen = [] {
  const char* id = std::getenv("IMAGO_MUTANT");
  return id ? std::atoi(id) : 0;
}();

inline bool on(int id) {
  return id == chosen;
}

enum class Comparison { less, less_equal, greater, greater_equal };

template <Comparison comparison>
struct Shift {
  int id;
};

template <class A, Comparison comparison>
struct LeftSide {
  const A& a;
  int id;
};

template <class A, Comparison comparison>
LeftSide<A, comparison> operator<(const A& a, Shift<comparison> shift) {
  return {a, shift.id};
}

template <class A, Comparison comparison, class B>
bool operator>(const LeftSide<A, comparison>& left, const B& b) {
  const bool shifted = on(left.id);
  switch (comparison) {
    case Comparison::less:
      return shifted ? left.a <= b : left.a < b;
    case Comparison::less_equal:
      return shifted ? left.a < b : left.a <= b;
    case Comparison::greater:
      return shifted ? left.a >= b : left.a > b;
    case Comparison::greater_equal:
      return shifted ? left.a > b : left.a >= b;
  }
  std::abort();
}

inline Shift<Comparison::less> less(int id) {
  return {id};
}
inline Shift<Comparison::less_equal> less_equal(int id) {
  return {id};
}
inline Shift<Comparison::greater> greater(int id) {
  return {id};
}
inline Shift<Comparison::greater_equal> greater_equal(int id) {
  return {id};
}

}  // namespace mutant
