// What concat, slice and place are made of: rows of bytes that are moved from one pitch to another.
#pragma once

#include <span>

#include "tensor/tensor.h"

namespace imago::kernels {

// x (outer, n, inner) seen as rows of n * inner elements, of a tensor in which rows have
// extent * inner.
struct AxisView {
  std::int64_t outer, extent, inner;
};
// How `axis`, counted from the outermost, cuts a shape.
inline AxisView view_along(const Shape& shape, int axis) {
  AxisView view{1, shape[axis], 1};
  for (int i = 0; i < axis; ++i) view.outer *= shape[i];
  for (int i = axis + 1; i < shape.dim(); ++i) view.inner *= shape[i];
  return view;
}

// `axis` counted from the outermost; throws, naming `op`, when x has no such axis.
int checked_axis(const char* op, const Shape& x, int axis);

// The shapes of the results of concat, slice and place. They validate the arguments, and count the
// axis from the outermost.
Shape joined_shape(std::span<const Tensor> parts, int& axis);
Shape sliced_shape(const Tensor& x, int& axis, std::int64_t begin, std::int64_t end);
Shape placed_shape(const Tensor& x, int& axis, std::int64_t begin, std::int64_t extent);

// Rows of `row` bytes, `pitch` bytes apart, from byte `first` of a tensor on.
struct Rows {
  std::int64_t first, pitch;
};

// Moves `rows` rows of `row` > 0 bytes for `op`, which errors name. Both tensors are on one device
// and do not overlap.
void copy_rows(const char* op, const Tensor& from, const Rows& there, std::int64_t rows,
               std::int64_t row, Tensor& to, const Rows& here);

// rows_1_words.cu: the same on CUDA, and `place` in one pass: `rows` rows of `to`, each `pitch`
// bytes long, are zero but for the `row` bytes from `first` on, which come from the rows of `from`,
// side by side there.
void copy_rows_words(const char* op, const Tensor& from, const Rows& there, std::int64_t rows,
                     std::int64_t row, Tensor& to, const Rows& here);
void place_rows_words(const Tensor& from, std::int64_t rows, std::int64_t row, Tensor& to,
                      const Rows& here);

}  // namespace imago::kernels
