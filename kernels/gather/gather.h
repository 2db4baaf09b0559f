// Choosing elements by index, and the adjoints that add them up again.
//
//   index_select   whole slices, one index for all that lies inside of it: the rows of an embedding
//   index_add      its adjoint
//   gather         single elements, an index for each: the score of each row's own class
//   scatter_add    its adjoint
//   one_hot        labels to rows of one 1 and zeros
//
// Indices are i64 in [0, extent) of the axis they choose along; they may repeat. An axis may be
// counted from the innermost, -1. x is seen as (outer, n, inner) around it.
//
// Dtypes: index_select and gather move any; the sums take f32, f64 and bf16, are made in acc_t<T>
// in ascending order of the positions that name a place, and are rounded once. So they are
// deterministic: equal bits for any number of threads and on every device.
//
// An index outside of [0, extent): the CPU throws and names it, its position and the range. The
// CUDA device cannot throw without waiting for it; nothing outside of a tensor is read or written
// there, and the fault shows: every byte of what such an index chose is 0xff (NaN in the floating
// types, -1 or 255 in the others), as is every sum that it could have been part of (index_add: all;
// scatter_add: those of its column).
#pragma once

#include "tensor/tensor.h"

namespace imago::kernels {

// out[o, p..., i] = x[o, indices[p...], i]: the axis of x is replaced by the extents of `indices`,
// which may have any number of dimensions. x (V, D), axis 0, indices (N, L) -> (N, L, D).
Tensor index_select(const Tensor& x, int axis, const Tensor& indices);

// out[o, v, i] = sum of x[o, p..., i] over the p... with indices[p...] = v; `axis` is the one of
// the result, where it has `extent`. x (N, L, D), axis 0, indices (N, L), extent V -> (V, D).
Tensor index_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent);

// out[o, p, i] = x[o, indices[o, p, i], i]: `indices` has the extents of x but along the axis.
Tensor gather(const Tensor& x, int axis, const Tensor& indices);

// out[o, v, i] = sum of x[o, p, i] over the p with indices[o, p, i] = v; x and `indices` of one
// shape, the result has `extent` along the axis.
Tensor scatter_add(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent);

// labels (...) -> (..., classes) of `dtype`: 1 at the label, else 0. Any dtype.
Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype);

// The specifications: one element after the other, on the CPU. All devices give their bits.
Tensor index_select_reference(const Tensor& x, int axis, const Tensor& indices);
Tensor index_add_reference(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent);
Tensor gather_reference(const Tensor& x, int axis, const Tensor& indices);
Tensor scatter_add_reference(const Tensor& x, int axis, const Tensor& indices, std::int64_t extent);

}  // namespace imago::kernels
