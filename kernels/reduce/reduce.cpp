#include "kernels/reduce/reduce.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cuda_build.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/parallel.h"
#include "kernels/reduce/cpu_fold.h"
#include "kernels/reduce/cpu_sum.h"
#include "kernels/reduce/reduce_cuda.h"
#include "tensor/op_range.h"

namespace imago::kernels {
namespace {

// A run of neighbouring axes that are all summed or all kept.
struct AxisGroup {
  std::int64_t extent;
  bool summed;
};

void require_summable(const char* op, const Tensor& x) {
  check(x.defined(), op, "the argument is undefined");
  check(is_floating(x.dtype()), op, "the argument is ", x.dtype(),
        "; it takes f32, f64 or bf16; cast it first");
}

// Groups of the axes of `large`, outermost first; an axis is summed where `small` has extent 1 or
// none. Axes of extent 1 belong to no group.
std::vector<AxisGroup> groups_of(const char* op, const Shape& large, const Shape& small) {
  check(small.dim() <= large.dim(), op, small, " has more dimensions than ", large);
  std::vector<AxisGroup> groups;
  const int missing = large.dim() - small.dim();
  for (int i = 0; i < large.dim(); ++i) {
    const std::int64_t extent = large[i];
    const std::int64_t kept = i < missing ? 1 : small[i - missing];
    check(kept == extent || kept == 1, op, small, " does not broadcast to ", large,
          ": aligned at the innermost dimension, extents ", kept, " and ", extent, " meet");
    if (extent == 1) continue;
    const bool summed = kept == 1;
    if (!groups.empty() && groups.back().summed == summed) {
      groups.back().extent *= extent;
    } else {
      groups.push_back({extent, summed});
    }
  }
  return groups;
}

// Rows of contiguous elements that are summed many to a call.
constexpr std::int64_t longest_short_row = 4096;

// Sums x (outer, rows, columns) over the middle axis into out (outer, columns). Narrow rows are
// taken several at a time, so that one inner loop serves every shape; the sums of parts of the rows
// are summed by the same function.
template <class T>
void sum_middle(const T* x, std::int64_t outer, std::int64_t rows, std::int64_t columns,
                acc_t<T>* out) {
  using A = acc_t<T>;
  if (columns == 1 && outer > 1 && rows <= longest_short_row) {
    const std::int64_t grain = std::max<std::int64_t>(1, 16384 / rows);
    parallel_ranges(outer, grain, [&](std::int64_t begin, std::int64_t end) {
      run_fold({Fold::sum, dtype_of<T>(), x + begin * rows, end - begin, 0, rows, out + begin});
    });
    return;
  }
  std::int64_t fold = 1;  // rows side by side
  while (fold * columns < 64 && fold < rows) fold *= 2;
  const std::int64_t wide_rows = rows / fold;
  const std::int64_t width = fold * columns;
  const std::int64_t parts = std::max<std::int64_t>(1, ceil_div(wide_rows, sum_part_rows));
  const std::int64_t tiles = ceil_div(width, sum_tile_columns);
  std::vector<A> partial(parts > 1 ? static_cast<std::size_t>(outer * parts * columns) : 0);
  A* results = parts > 1 ? partial.data() : out;

  // Small problems go many to a task.
  const std::int64_t tasks = outer * parts * tiles;
  const std::int64_t work = std::min(wide_rows, sum_part_rows) * std::min(width, sum_tile_columns);
  const std::int64_t grain = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, work));
  parallel_ranges(tasks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t tile = task % tiles;
      const std::int64_t part = task / tiles % parts;
      const std::int64_t o = task / tiles / parts;
      const T* source = x + o * rows * columns + part * sum_part_rows * width;
      A* target = results + (o * parts + part) * columns;
      const std::int64_t count = std::min(sum_part_rows, wide_rows - part * sum_part_rows);
      if (fold == 1) {
        const std::int64_t first = tile * sum_tile_columns;
        sum_rows(source + first, count, std::min(sum_tile_columns, width - first), width,
                 target + first);
        continue;
      }
      // width < 128: one tile. The rows left over by folding join the last part.
      A sums[128];
      sum_rows(source, count, width, width, sums);
      if (part == parts - 1) {
        const std::int64_t left = rows - wide_rows * fold;
        const T* rest = x + o * rows * columns + wide_rows * width;
        for (std::int64_t j = 0; j < left * columns; ++j) sums[j] += static_cast<A>(rest[j]);
      }
      for (std::int64_t half = fold / 2; half >= 1; half /= 2) {
        for (std::int64_t j = 0; j < half * columns; ++j) sums[j] += sums[half * columns + j];
      }
      std::copy(sums, sums + columns, target);
    }
  });
  if (parts > 1) sum_middle<A>(partial.data(), outer, parts, columns, out);
}

// Repeats x (outer, columns) into out (outer, rows, columns), bytes at a time.
void repeat_middle(const std::byte* x, std::int64_t outer, std::int64_t rows, std::size_t row_bytes,
                   std::byte* out) {
  // A piece is filled by doubling what is there already.
  const auto piece = std::max<std::int64_t>(1, 65536 / static_cast<std::int64_t>(row_bytes));
  const std::int64_t pieces = ceil_div(rows, piece);
  parallel_for(outer * pieces, [&](std::int64_t task) {
    const std::int64_t o = task / pieces;
    const std::int64_t begin = task % pieces * piece;
    const auto total = static_cast<std::size_t>(std::min(piece, rows - begin)) * row_bytes;
    std::byte* target = out + static_cast<std::size_t>(o * rows + begin) * row_bytes;
    std::memcpy(target, x + static_cast<std::size_t>(o) * row_bytes, row_bytes);
    for (std::size_t done = row_bytes; done < total;) {
      const std::size_t n = std::min(done, total - done);
      std::memcpy(target + done, target, n);
      done += n;
    }
  });
}

}  // namespace

Tensor sum_to(const Tensor& x, const Shape& shape) {
  require_summable("sum_to", x);
  const OpRange range("sum_to", x.device());
  std::vector<AxisGroup> groups = groups_of("sum_to", x.shape(), shape);
  if (x.numel() == 0) return Tensor::full(shape, 0, x.dtype(), x.device());
  const auto is_summed = [](const AxisGroup& group) { return group.summed; };
  if (std::none_of(groups.begin(), groups.end(), is_summed)) return x.reshape(shape);
  // One group at a time, innermost first; between the passes sums are acc_t.
  Tensor current = x;
  while (true) {
    std::int64_t columns = 1;
    std::size_t i = groups.size();
    while (i > 0 && !groups[i - 1].summed) columns *= groups[--i].extent;
    if (i == 0) break;
    const std::int64_t rows = groups[i - 1].extent;
    const std::int64_t outer = current.numel() / (rows * columns);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(i) - 1);
    const Device device = x.device();
    Tensor next = Tensor::empty({outer, columns}, acc_dtype(x.dtype()), device);
    if constexpr (cuda_build) {
      if (device.is_cuda()) {
        const bool more = std::any_of(groups.begin(), groups.end(), is_summed);
        if (!more) next = Tensor::empty({outer, columns}, x.dtype(), device);
        sum_middle_cuda(current, outer, rows, columns, next);
        current = next;
        continue;
      }
    }
    dispatch<float, double, bf16>(current.dtype(), "sum_to", [&]<class T> {
      sum_middle<T>(current.data<T>(), outer, rows, columns, next.mutable_data<acc_t<T>>());
    });
    current = next;
  }
  if (current.dtype() != x.dtype()) current = cast(current, x.dtype());
  return current.reshape(shape);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  require_summable("broadcast_to", x);
  const OpRange range("broadcast_to", x.device());
  const std::vector<AxisGroup> groups = groups_of("broadcast_to", shape, x.shape());
  const std::int64_t numel = shape.numel();
  if (x.numel() == numel) return x.reshape(shape);
  if (numel == 0) return Tensor::empty(shape, x.dtype(), x.device());
  // Innermost group first, so that the later, larger copies move long rows.
  Tensor current = x;
  std::int64_t inner = 1;  // elements of the result below the group at hand
  for (std::size_t i = groups.size(); i-- > 0; inner *= groups[i].extent) {
    if (!groups[i].summed) continue;
    const std::int64_t outer = current.numel() / inner;
    Tensor next = Tensor::empty({outer, groups[i].extent, inner}, x.dtype(), x.device());
    if constexpr (cuda_build) {
      if (x.device().is_cuda()) {
        repeat_middle_cuda(current, outer, groups[i].extent, inner, next);
        current = next;
        continue;
      }
    }
    repeat_middle(current.bytes(), outer, groups[i].extent,
                  static_cast<std::size_t>(inner) * size_of(x.dtype()), next.mutable_bytes());
    current = next;
  }
  return current.reshape(shape);
}

}  // namespace imago::kernels
