// Joining tensors along an axis, cutting them apart, and the adjoint of a cut.
//
// Dtypes: any; elements are moved, never looked at. Deterministic. An axis may be counted from the
// innermost, -1. Errors: an axis or a range that does not exist; extents, dtypes or devices that
// differ.
#pragma once

#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace imago::kernels {

// parts (..., n_i, ...) of one dtype whose extents agree but along
// `axis` -> (..., sum of n_i, ...), a new tensor.
Tensor concat(std::span<const Tensor> parts, int axis = 0);

// Parts of one shape, side by side along a new axis that stands at `axis` in the result:
// n parts (a, b) at axis 1 -> (a, n, b).
Tensor stack(std::span<const Tensor> parts, int axis = 0);

// x (..., n, ...) -> elements [begin, end) of the axis, (..., end - begin, ...). Along the
// outermost axis the result shares the storage of x; else it is a new tensor.
Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end);

// The adjoint of slice: x (..., n, ...) -> (..., extent, ...), a new tensor with x at
// [begin, begin + n) of the axis and zeros elsewhere.
Tensor place(const Tensor& x, int axis, std::int64_t begin, std::int64_t extent);

// The slices of these extents, which add up to the extent of the axis.
std::vector<Tensor> split(const Tensor& x, int axis, std::span<const std::int64_t> extents);

// The specifications of concat, slice and place: one element after the other. On the CPU.
Tensor concat_reference(std::span<const Tensor> parts, int axis);
Tensor slice_reference(const Tensor& x, int axis, std::int64_t begin, std::int64_t end);
Tensor place_reference(const Tensor& x, int axis, std::int64_t begin, std::int64_t extent);

}  // namespace imago::kernels
