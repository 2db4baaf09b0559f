#include <algorithm>
#include <array>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/reduce/axes.h"
#include "kernels/reduce/cpu_fold.h"
#include "kernels/reduce/reduce.h"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

// Which axes of a tensor are reduced.
class Reduced {
 public:
  Reduced(const char* op, const Shape& x, const AxisList& axes) : shape_(x) {
    if (axes.empty()) is_.fill(true);
    for (const int axis : axes) {
      const int at = axis < 0 ? axis + x.dim() : axis;
      check(at >= 0 && at < x.dim(), op, "axis ", axis, " is out of range for ", x);
      check(!is_[static_cast<std::size_t>(at)], op, "axis ", axis, " of ", x, " is named twice");
      is_[static_cast<std::size_t>(at)] = true;
    }
  }
  bool at(int axis) const { return is_[static_cast<std::size_t>(axis)]; }
  Shape result(bool keepdim) const {
    Shape result;
    for (int i = 0; i < shape_.dim(); ++i) {
      if (!at(i)) result.append(shape_[i]);
      if (at(i) && keepdim) result.append(1);
    }
    return result;
  }
  std::int64_t terms() const {
    std::int64_t terms = 1;
    for (int i = 0; i < shape_.dim(); ++i) terms *= at(i) ? shape_[i] : 1;
    return terms;
  }

 private:
  Shape shape_;
  std::array<bool, Shape::max_dim> is_{};
};

std::size_t bytes_of(DType dtype, std::int64_t elements) {
  return static_cast<std::size_t>(elements) * size_of(dtype);
}

// Folds x (outer, rows, columns) over its middle axis into `out` (outer, columns). Parts of long
// sums are rows of a matrix that is folded in turn; a row of few columns takes part as several
// columns of a wider matrix.
void fold_middle(Fold op, const Tensor& x, std::int64_t outer, std::int64_t rows,
                 std::int64_t columns, Tensor& out) {
  const auto* px = static_cast<const std::byte*>(x.bytes());
  const auto at = [&](std::int64_t element) { return px + bytes_of(x.dtype(), element); };
  if (columns == 1) {
    const std::int64_t parts = ceil_div(rows, fold_row_length);
    Tensor partial = parts > 1 ? Tensor::empty({outer, parts}, out.dtype(), x.device()) : out;
    std::byte* to = partial.mutable_bytes();
    const std::int64_t length = std::min(rows, fold_row_length);
    parallel_ranges(
        outer * parts, std::max<std::int64_t>(1, default_grain / length),
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; parts > 1 && i < end; ++i) {
            const std::int64_t first = i % parts * fold_row_length;
            run_fold({op, x.dtype(), at(i / parts * rows + first), 1, 0,
                      std::min(fold_row_length, rows - first), to + bytes_of(out.dtype(), i)});
          }
          if (parts > 1) return;
          run_fold({op, x.dtype(), at(begin * rows), end - begin, 0, rows,
                    to + bytes_of(out.dtype(), begin)});
        });
    if (parts > 1) fold_middle(joining(op), partial, outer, parts, 1, out);
    return;
  }
  std::int64_t fold = 1;  // rows side by side
  while (fold * columns < 64 && fold * 4 <= rows) fold *= 2;
  const std::int64_t width = fold * columns, wide_rows = rows / fold, left = rows % fold;
  const std::int64_t parts = ceil_div(wide_rows, fold_part_rows);
  const std::int64_t pieces = parts * fold + (left > 0 ? 1 : 0);
  Tensor partial =
      pieces > 1 ? Tensor::empty({outer, pieces, columns}, out.dtype(), x.device()) : out;
  std::byte* to = partial.mutable_bytes();
  const std::int64_t tiles = ceil_div(width, fold_tile_columns);
  const std::int64_t work =
      std::min(wide_rows, fold_part_rows) * std::min(width, fold_tile_columns);
  const std::int64_t tasks = outer * parts * tiles;
  parallel_ranges(
      tasks, std::max<std::int64_t>(1, 16384 / work), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t tile = task % tiles, part = task / tiles % parts;
          const std::int64_t o = task / tiles / parts;
          const std::int64_t first = tile * fold_tile_columns, row = part * fold_part_rows;
          const std::int64_t piece = o * pieces + part * fold;
          run_fold({op, x.dtype(), at((o * rows + row * fold) * columns + first),
                    std::min(fold_part_rows, wide_rows - row),
                    std::min(fold_tile_columns, width - first), width,
                    to + bytes_of(out.dtype(), piece * columns + first)});
          if (left == 0 || part < parts - 1 || tile < tiles - 1) continue;
          run_fold({op, x.dtype(), at((o * rows + wide_rows * fold) * columns), left, columns,
                    columns, to + bytes_of(out.dtype(), (o * pieces + pieces - 1) * columns)});
        }
      });
  if (pieces > 1) fold_middle(joining(op), partial, outer, pieces, columns, out);
}

// Folds one group of axes after another, innermost first.
Tensor fold_axes(const char* name, Fold op, const Tensor& x, const Reduced& reduced, DType dtype) {
  struct Group {
    std::int64_t extent;
    bool reduced;
  };
  std::vector<Group> groups;
  for (int i = 0; i < x.dim(); ++i) {
    if (x.size(i) == 1) continue;
    if (groups.empty() || groups.back().reduced != reduced.at(i)) {
      groups.push_back({1, reduced.at(i)});
    }
    groups.back().extent *= x.size(i);
  }
  // One element is folded, too: its absolute value is taken.
  if (std::none_of(groups.begin(), groups.end(), [](const Group& g) { return g.reduced; })) {
    groups.push_back({1, true});
  }
  Tensor current = x;
  while (true) {
    std::int64_t columns = 1;
    std::size_t i = groups.size();
    while (i > 0 && !groups[i - 1].reduced) columns *= groups[--i].extent;
    if (i == 0) return current;
    const std::int64_t rows = groups[i - 1].extent, outer = current.numel() / (rows * columns);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(i) - 1);
    Tensor next = Tensor::empty({outer, columns}, dtype, x.device());
    const OpRange range(name, x.device());
    if constexpr (cuda_build) {
      if (x.device().is_cuda()) {
        fold_middle_cuda(op, current, outer, rows, columns, next);
        current = next, op = joining(op);
        continue;
      }
    }
    fold_middle(op, current, outer, rows, columns, next);
    current = next, op = joining(op);
  }
}

void require(const char* op, const Tensor& x, bool floating) {
  check(x.defined(), op, "the argument is undefined");
  check(!floating || is_floating(x.dtype()), op, "the argument is ", x.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
}

void require_terms(const char* op, const Tensor& x, const Reduced& reduced) {
  check(reduced.terms() > 0, op, "no elements to choose from: ", x.shape(),
        " has extent 0 in an axis that is reduced");
}

Tensor extremum(const char* name, Fold op, const Tensor& x, const AxisList& axes, bool keepdim) {
  require(name, x, false);
  const Reduced reduced(name, x.shape(), axes);
  require_terms(name, x, reduced);
  const Shape shape = reduced.result(keepdim);
  if (x.numel() == 0) return Tensor::empty(shape, x.dtype(), x.device());
  return fold_axes(name, op, x, reduced, x.dtype()).reshape(shape);
}

// A fold of floats in acc_t, rounded to the dtype of x; `nothing` where there are no terms.
Tensor fold_floats(const char* name, Fold op, const Tensor& x, const AxisList& axes, bool keepdim,
                   double nothing, bool root = false) {
  require(name, x, true);
  const Reduced reduced(name, x.shape(), axes);
  const Shape shape = reduced.result(keepdim);
  if (x.numel() == 0) return full(shape, nothing, x.dtype(), x.device());
  Tensor result = fold_axes(name, op, x, reduced, acc_dtype(x.dtype()));
  if (root) result = sqrt(result);
  return cast(result, x.dtype()).reshape(shape);
}

// Where the largest of x (outer, rows, columns) is along the middle axis.
void argmax_middle(const Tensor& x, std::int64_t outer, std::int64_t rows, std::int64_t columns,
                   Tensor& index) {
  const std::int64_t part_rows = columns == 1 ? fold_row_length : fold_part_rows;
  const std::int64_t parts = ceil_div(rows, part_rows);
  const std::int64_t tiles = ceil_div(columns, fold_tile_columns);
  Tensor values = Tensor::empty({outer, parts, columns}, x.dtype(), x.device());
  Tensor places =
      parts == 1 ? index : Tensor::empty({outer, parts, columns}, DType::i64, x.device());
  std::byte* value = values.mutable_bytes();
  std::int64_t* place = places.mutable_data<std::int64_t>();
  const std::int64_t work = std::min(rows, part_rows) * std::min(columns, fold_tile_columns);
  if (columns == 1 && parts == 1) {  // rows short enough to be many of a call
    const std::int64_t grain = std::max<std::int64_t>(1, default_grain / work);
    parallel_ranges(outer, grain, [&](std::int64_t begin, std::int64_t end) {
      run_fold({Fold::max, x.dtype(), x.bytes() + bytes_of(x.dtype(), begin * rows), end - begin, 0,
                rows, value + bytes_of(x.dtype(), begin), place + begin});
    });
    return;
  }
  parallel_ranges(
      outer * parts * tiles, std::max<std::int64_t>(1, default_grain / work),
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t task = begin; task < end; ++task) {
          const std::int64_t tile = task % tiles, part = task / tiles % parts;
          const std::int64_t o = task / tiles / parts;
          const std::int64_t first = tile * fold_tile_columns, row = part * part_rows;
          const std::int64_t count = std::min(part_rows, rows - row);
          const std::byte* from =
              x.bytes() + bytes_of(x.dtype(), (o * rows + row) * columns + first);
          const std::int64_t to = (o * parts + part) * columns + first;
          const bool along = columns == 1;
          run_fold({Fold::max, x.dtype(), from, along ? 1 : count,
                    along ? 0 : std::min(fold_tile_columns, columns - first),
                    along ? count : columns, value + bytes_of(x.dtype(), to), place + to});
        }
      });
  if (parts == 1) return;
  std::int64_t* out = index.mutable_data<std::int64_t>();
  dispatch<float, double, bf16, std::int32_t, std::int64_t, std::uint8_t>(
      x.dtype(), "argmax", [&]<class T> {
        const T* v = values.data<T>();
        parallel_ranges(outer * columns, default_grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t first = i / columns * parts * columns + i % columns;
            std::int64_t best = 0;
            for (std::int64_t part = 1; part < parts; ++part) {
              const T a = v[first + best * columns], b = v[first + part * columns];
              if (b > a || (b != b && a == a)) best = part;
            }
            out[i] = best * part_rows + place[first + best * columns];
          }
        });
      });
}

Tensor argmax_of(const Tensor& x, std::int64_t outer, std::int64_t rows, std::int64_t columns,
                 const Shape& shape) {
  Tensor index = Tensor::empty(shape, DType::i64, x.device());
  if (index.numel() == 0) return index;
  const OpRange range("argmax", x.device());
  if constexpr (cuda_build) {
    if (x.device().is_cuda()) {
      argmax_middle_cuda(x, outer, rows, columns, index);
      return index;
    }
  }
  argmax_middle(x, outer, rows, columns, index);
  return index;
}

}  // namespace

Shape reduced_shape(const char* op, const Shape& x, const AxisList& axes, bool keepdim) {
  return Reduced(op, x, axes).result(keepdim);
}

std::int64_t reduced_terms(const char* op, const Shape& x, const AxisList& axes) {
  return Reduced(op, x, axes).terms();
}

Tensor sum(const Tensor& x, const AxisList& axes, bool keepdim) {
  require("sum", x, false);
  const Reduced reduced("sum", x.shape(), axes);
  const Shape shape = reduced.result(keepdim);
  if (is_floating(x.dtype())) {
    const Tensor result = sum_to(x, reduced.result(true)).reshape(shape);
    return result.shares_storage(x) ? result.clone() : result;  // where every sum has one term
  }
  if (x.numel() == 0) return full(shape, 0, DType::i64, x.device());
  return fold_axes("sum", Fold::sum, x, reduced, DType::i64).reshape(shape);
}

Tensor max(const Tensor& x, const AxisList& axes, bool keepdim) {
  return extremum("max", Fold::max, x, axes, keepdim);
}

Tensor min(const Tensor& x, const AxisList& axes, bool keepdim) {
  return extremum("min", Fold::min, x, axes, keepdim);
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  require("argmax", x, false);
  const Reduced reduced("argmax", x.shape(), {axis});
  require_terms("argmax", x, reduced);
  std::int64_t columns = 1;
  for (int i = x.dim() - 1; !reduced.at(i); --i) columns *= x.size(i);
  const std::int64_t rows = reduced.terms(), span = std::max<std::int64_t>(1, rows * columns);
  return argmax_of(x, x.numel() / span, rows, columns, reduced.result(keepdim));
}

Tensor argmax(const Tensor& x) {
  require("argmax", x, false);
  require_terms("argmax", x, Reduced("argmax", x.shape(), {}));
  return argmax_of(x, 1, x.numel(), 1, {});
}

Tensor logsumexp(const Tensor& x, const AxisList& axes, bool keepdim) {
  return fold_floats("logsumexp", Fold::logsumexp, x, axes, keepdim,
                     -std::numeric_limits<double>::infinity());
}

Tensor norm(const Tensor& x, double p, const AxisList& axes, bool keepdim) {
  check(p == 1 || p == 2, "norm", "takes p = 1 or 2, not ", p);
  return fold_floats("norm", p == 1 ? Fold::sum_abs : Fold::sum_squares, x, axes, keepdim, 0,
                     p == 2);
}

}  // namespace imago::kernels
