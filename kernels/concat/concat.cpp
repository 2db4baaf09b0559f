#include "kernels/concat/concat.h"

#include <algorithm>
#include <cstring>

#include "kernels/concat/engines.h"
#include "kernels/cpu_move.h"
#include "kernels/cuda_build.h"
#include "kernels/parallel.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

std::int64_t element_bytes(const Tensor& t) {
  return static_cast<std::int64_t>(size_of(t.dtype()));
}

// Rows of `row` bytes, side by side, to byte `first` of rows of `pitch` bytes; zeros around them.
void place_rows(const std::byte* from, std::int64_t rows, std::int64_t row, std::byte* to,
                std::int64_t first, std::int64_t pitch) {
  constexpr std::int64_t cached = 32 << 10;  // stays in the L1 cache between zeros and rows
  if (pitch <= cached) {
    parallel_ranges(rows, cached / pitch, [&](std::int64_t begin, std::int64_t end) {
      std::memset(to + begin * pitch, 0, static_cast<std::size_t>((end - begin) * pitch));
      move_rows(from + begin * row, row, end - begin, row, to + begin * pitch + first, pitch,
                false);
    });
    return;
  }
  const bool stream = rows * row >= streamed_bytes;
  const std::int64_t pieces = ceil_div(pitch, moved_grain_bytes);
  parallel_for(rows * pieces, [&](std::int64_t task) {
    const std::int64_t r = task / pieces, begin = task % pieces * moved_grain_bytes;
    const std::int64_t end = std::min(pitch, begin + moved_grain_bytes);
    const std::int64_t full = std::clamp(first, begin, end);
    const std::int64_t past = std::clamp(first + row, begin, end);
    std::byte* target = to + r * pitch;
    std::memset(target + begin, 0, static_cast<std::size_t>(full - begin));
    move_bytes(from + r * row + (full - first), past - full, target + full, stream);
    std::memset(target + past, 0, static_cast<std::size_t>(end - past));
    if (stream) finish_streams();
  });
}

}  // namespace

int checked_axis(const char* op, const Shape& x, int axis) {
  const int from_outermost = axis < 0 ? axis + x.dim() : axis;
  check(from_outermost >= 0 && from_outermost < x.dim(), op, "there is no axis ", axis, " in ", x);
  return from_outermost;
}

Shape joined_shape(std::span<const Tensor> parts, int& axis) {
  check(!parts.empty(), "concat", "needs at least one part");
  const Tensor& first = parts.front();
  check(first.defined(), "concat", "part 0 is undefined");
  check(first.dim() > 0, "concat", "part 0 needs at least one dimension, the one to join along");
  axis = checked_axis("concat", first.shape(), axis);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Tensor& part = parts[i];
    check(part.defined(), "concat", "part ", i, " is undefined");
    check(part.dtype() == first.dtype() && part.device() == first.device(), "concat", "part ", i,
          " is ", part.dtype(), " on ", part.device(), " but part 0 is ", first.dtype(), " on ",
          first.device());
    Shape expected = first.shape();
    expected.set(axis, part.dim() == first.dim() ? part.size(axis) : 0);
    check(part.shape() == expected, "concat", "part ", i, " is ", part.shape(), " but part 0 is ",
          first.shape(), "; all extents but ",
          axis == 0 ? "the first" : "that of axis " + std::to_string(axis), " agree");
    total += part.size(axis);
  }
  Shape shape = first.shape();
  shape.set(axis, total);
  return shape;
}

Shape sliced_shape(const Tensor& x, int& axis, std::int64_t begin, std::int64_t end) {
  check(x.defined() && x.dim() > 0, "slice", "needs a tensor with at least one dimension");
  axis = checked_axis("slice", x.shape(), axis);
  check(0 <= begin && begin <= end && end <= x.size(axis), "slice", "[", begin, ", ", end,
        ") is not inside axis ", axis, " of ", x.shape());
  Shape shape = x.shape();
  shape.set(axis, end - begin);
  return shape;
}

Shape placed_shape(const Tensor& x, int& axis, std::int64_t begin, std::int64_t extent) {
  check(x.defined() && x.dim() > 0, "place", "needs a tensor with at least one dimension");
  axis = checked_axis("place", x.shape(), axis);
  check(0 <= begin && begin <= extent && x.size(axis) <= extent - begin, "place", "axis ", axis,
        " of ", x.shape(), " does not fit into ", extent, " from ", begin, " on");
  Shape shape = x.shape();
  shape.set(axis, extent);
  return shape;
}

void copy_rows([[maybe_unused]] const char* op, const Tensor& from, const Rows& there,
               std::int64_t rows, std::int64_t row, Tensor& to, const Rows& here) {
  if constexpr (cuda_build) {
    if (from.device().is_cuda()) return copy_rows_words(op, from, there, rows, row, to, here);
  }
  const bool stream = rows * row >= streamed_bytes;
  const std::byte* source = from.bytes() + there.first;
  std::byte* target = to.mutable_bytes() + here.first;
  // Long rows are cut into pieces, short ones go several at a time.
  const std::int64_t pieces = ceil_div(row, moved_grain_bytes);
  const std::int64_t piece = ceil_div(ceil_div(row, pieces), 64) * 64;
  const std::int64_t grain = std::max<std::int64_t>(1, moved_grain_bytes / row);
  parallel_ranges(rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
    if (pieces == 1) {
      move_rows(source + begin * there.pitch, there.pitch, end - begin, row,
                target + begin * here.pitch, here.pitch, stream);
    } else {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t r = task / pieces, first = std::min(row, task % pieces * piece);
        move_bytes(source + r * there.pitch + first, std::min(piece, row - first),
                   target + r * here.pitch + first, stream);
      }
    }
    if (stream) finish_streams();
  });
}

Tensor concat(std::span<const Tensor> parts, int axis) {
  const Shape shape = joined_shape(parts, axis);
  const Tensor& first = parts.front();
  const OpRange range("concat", first.device());
  Tensor out = Tensor::empty(shape, first.dtype(), first.device());
  const AxisView view = view_along(shape, axis);
  const std::int64_t unit = view.inner * element_bytes(out);
  std::int64_t at = 0;
  for (const Tensor& part : parts) {
    const std::int64_t row = part.size(axis) * unit;
    if (part.numel() > 0) {
      copy_rows("concat", part, {0, row}, view.outer, row, out, {at * unit, view.extent * unit});
    }
    at += part.size(axis);
  }
  return out;
}

Tensor stack(std::span<const Tensor> parts, int axis) {
  check(!parts.empty(), "stack", "needs at least one part");
  std::vector<Tensor> taller;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    check(parts[i].defined(), "stack", "part ", i, " is undefined");
    const Shape& shape = parts[i].shape();
    check(shape == parts[0].shape(), "stack", "part ", i, " is ", shape, " but part 0 is ",
          parts[0].shape());
    const int at = axis < 0 ? axis + shape.dim() + 1 : axis;
    check(at >= 0 && at <= shape.dim(), "stack", "there is no place ", axis,
          " for a new axis among those of ", shape);
    Shape with;
    for (int d = 0; d <= shape.dim(); ++d) {
      if (d == at) with.append(1);
      if (d < shape.dim()) with.append(shape[d]);
    }
    taller.push_back(parts[i].reshape(with));
  }
  return concat(taller, axis < 0 ? axis + taller[0].dim() : axis);
}

Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::int64_t end) {
  const Shape shape = sliced_shape(x, axis, begin, end);
  if (axis == 0) return x.slice(begin, end);
  const OpRange range("slice", x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (out.numel() == 0) return out;
  const AxisView view = view_along(x.shape(), axis);
  const std::int64_t unit = view.inner * element_bytes(x), row = (end - begin) * unit;
  copy_rows("slice", x, {begin * unit, view.extent * unit}, view.outer, row, out, {0, row});
  return out;
}

Tensor place(const Tensor& x, int axis, std::int64_t begin, std::int64_t extent) {
  const Shape shape = placed_shape(x, axis, begin, extent);
  const OpRange range("place", x.device());
  Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  if (x.numel() == 0) {
    out.set_zero();
    return out;
  }
  const AxisView view = view_along(shape, axis);
  const std::int64_t unit = view.inner * element_bytes(x), row = x.size(axis) * unit;
  const std::int64_t first = begin * unit, pitch = extent * unit;
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      place_rows_words(x, view.outer, row, out, {first, pitch});
      return out;
    }
  }
  place_rows(x.bytes(), view.outer, row, out.mutable_bytes(), first, pitch);
  return out;
}

std::vector<Tensor> split(const Tensor& x, int axis, std::span<const std::int64_t> extents) {
  check(x.defined() && x.dim() > 0, "split", "needs a tensor with at least one dimension");
  axis = checked_axis("split", x.shape(), axis);
  std::int64_t total = 0;
  for (const std::int64_t extent : extents) {
    check(extent >= 0, "split", "a part would have ", extent, " elements along axis ", axis);
    total += extent;
  }
  check(total == x.size(axis), "split", "the parts have ", total, " elements along axis ", axis,
        " but ", x.shape(), " has ", x.size(axis));
  std::vector<Tensor> parts;
  std::int64_t at = 0;
  for (const std::int64_t extent : extents) {
    parts.push_back(slice(x, axis, at, at + extent));
    at += extent;
  }
  return parts;
}

}  // namespace imago::kernels
