// Comparisons and choices: masks of 0 and 1, and tensors put together by them. Without gradients.
//
// Arguments may be of any dtype, both alike (a mask is u8), and may alias; results are new tensors.
// Operands broadcast as in elementwise.h. Deterministic: nothing is rounded, so all backends give
// the same bits. Errors: an undefined tensor, mixed dtypes or devices, shapes that do not fit.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace imago::kernels {

// greater and greater_equal are less and less_equal with their arguments exchanged.
enum class Comparison { equal, not_equal, less, less_equal, logical_and, logical_or };
const char* name_of(Comparison op);

// What `op` says of two values of any arithmetic type.
template <class T>
constexpr bool compared(Comparison op, T x, T y) {
  switch (op) {
    case Comparison::equal:
      return x == y;
    case Comparison::not_equal:
      return x != y;
    case Comparison::less:
      return x < y;
    case Comparison::less_equal:
      return x <= y;
    case Comparison::logical_and:
      return (x != T(0)) & (y != T(0));
    default:
      return (x != T(0)) | (y != T(0));
  }
}

// 1 where it is so, 0 elsewhere; u8, of the broadcast shape. A NaN is not equal, less or greater.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);

// The same against one number, which is rounded to a floating dtype of `a`; an integer dtype must
// be able to hold it.
Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, double b);

// 0 is false; all else is true, NaN too.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& a);

// 1 where a == b or both are NaN, else 0, in the dtype of a and b, which are of one shape and
// floating dtype. It marks the elements among which the gradient of max is shared.
Tensor equal_elements(const Tensor& a, const Tensor& b);

// mask != 0 ? a : b, element by element, of the broadcast shape of all three: a mask (N, H, W, 1)
// chooses whole pixels. mask is u8; a and b are of any dtype, both alike.
Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b);

// The specifications, element by element, on the CPU.
Tensor compare_reference(Comparison op, const Tensor& a, const Tensor& b);
Tensor where_reference(const Tensor& mask, const Tensor& a, const Tensor& b);

// The comparison by number.
Tensor compare(Comparison op, const Tensor& a, const Tensor& b);

}  // namespace imago::kernels
