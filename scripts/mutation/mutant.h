// What a mutated kernel source is written in: all its mutants at once, of which the environment
// variable IMAGO_MUTANT picks one, so that a source is compiled once and not once per mutant.
//
//   __syncthreads();   becomes   { if (!mutant::on(7)) __syncthreads(); }
//   i < n              becomes   i < mutant::less(8) > n
//
// The second line parses as (i < shift) > n with operands as far as those of `i < n` reach, since
// all four comparisons bind alike; the operators below compare as before or, in mutant 8, as
// `i <= n` does. None of these is constexpr: a comparison in a constant expression has no mutant
// that can be chosen at run time, and the compiler says so.
//
// In a constexpr function, which a kernel runs and the compiler may run too, i < n becomes
// i < mutant::constant::less(9) > n: constexpr, and the original when the compiler runs it.
#pragma once

// `i < n < m` is a mistake where nobody means what is meant here.
#pragma GCC diagnostic ignored "-Wparentheses"
// A literal that is fine beside an unsigned number is one of any type in the operators below.
#pragma GCC diagnostic ignored "-Wsign-compare"

#include <cstdlib>
#include <type_traits>

namespace mutant {

inline const int chosen = [] {
  const char* id = std::getenv("IMAGO_MUTANT");
  return id ? std::atoi(id) : 0;
}();

inline bool on(int id) {
  return id == chosen;
}

enum class Comparison { less, less_equal, greater, greater_equal };

// What stands for `comparison`: the comparison itself, or shifted by one.
template <Comparison comparison, class A, class B>
constexpr bool compare(bool shifted, const A& a, const B& b) {
  switch (comparison) {
    case Comparison::less:
      return shifted ? a <= b : a < b;
    case Comparison::less_equal:
      return shifted ? a < b : a <= b;
    case Comparison::greater:
      return shifted ? a >= b : a > b;
    case Comparison::greater_equal:
      return shifted ? a > b : a >= b;
  }
  std::abort();
}

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
  return compare<comparison>(on(left.id), left.a, b);
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

namespace constant {

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
constexpr LeftSide<A, comparison> operator<(const A& a, Shift<comparison> shift) {
  return {a, shift.id};
}

template <class A, Comparison comparison, class B>
constexpr bool operator>(const LeftSide<A, comparison>& left, const B& b) {
  if (std::is_constant_evaluated()) return compare<comparison>(false, left.a, b);
  return compare<comparison>(on(left.id), left.a, b);
}

constexpr Shift<Comparison::less> less(int id) {
  return {id};
}
constexpr Shift<Comparison::less_equal> less_equal(int id) {
  return {id};
}
constexpr Shift<Comparison::greater> greater(int id) {
  return {id};
}
constexpr Shift<Comparison::greater_equal> greater_equal(int id) {
  return {id};
}

}  // namespace constant
}  // namespace mutant
