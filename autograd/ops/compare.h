// Operations on Vars whose results are constants: comparisons, which give masks, and functions
// whose derivative is 0 wherever it exists. kernels/elementwise/compare.h and elementwise.h say
// what they compute.
#pragma once

#include "autograd/var.h"
#include "kernels/elementwise/compare.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::ops {

// 1 where it is so, 0 elsewhere, u8; a and b, of any dtype but both alike, broadcast, and so does a
// number.
inline Tensor equal(const Var& a, const Var& b) {
  return kernels::equal(a.tensor(), b.tensor());
}
inline Tensor equal(const Var& a, double number) {
  return kernels::equal(a.tensor(), number);
}
inline Tensor not_equal(const Var& a, const Var& b) {
  return kernels::not_equal(a.tensor(), b.tensor());
}
inline Tensor not_equal(const Var& a, double number) {
  return kernels::not_equal(a.tensor(), number);
}
inline Tensor less(const Var& a, const Var& b) {
  return kernels::less(a.tensor(), b.tensor());
}
inline Tensor less(const Var& a, double number) {
  return kernels::less(a.tensor(), number);
}
inline Tensor less_equal(const Var& a, const Var& b) {
  return kernels::less_equal(a.tensor(), b.tensor());
}
inline Tensor less_equal(const Var& a, double number) {
  return kernels::less_equal(a.tensor(), number);
}
inline Tensor greater(const Var& a, const Var& b) {
  return kernels::greater(a.tensor(), b.tensor());
}
inline Tensor greater(const Var& a, double number) {
  return kernels::greater(a.tensor(), number);
}
inline Tensor greater_equal(const Var& a, const Var& b) {
  return kernels::greater_equal(a.tensor(), b.tensor());
}
inline Tensor greater_equal(const Var& a, double number) {
  return kernels::greater_equal(a.tensor(), number);
}

// Of masks, or of numbers: all but 0 is true.
using kernels::logical_and;
using kernels::logical_not;
using kernels::logical_or;

// a > b ? 1 : a < b ? 0 : 1/2, of the dtype of a and b: how much of max(a, b) is a's.
inline Var greater_share(const Var& a, const Var& b) {
  return kernels::greater_share(a.tensor(), b.tensor());
}

// 1, -1 or x itself where that is 0 or NaN.
inline Var sign(const Var& x) {
  return kernels::sign(x.tensor());
}

}  // namespace imago::ops
