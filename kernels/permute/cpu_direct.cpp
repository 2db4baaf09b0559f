// permute on the CPU.
//
// Units that change places are a batch of matrix transposes: rows along the loop that is innermost
// in the result, columns along the one that is innermost in x. A matrix is cut into tiles of about
// 8 KB. A tile is transposed into a buffer that stays in the L1 cache and is copied from there, so
// that what meets memory is runs: a column of the matrix lies a power of two apart more often than
// not, and lines that are written piecemeal at such distances would push each other out of the
// cache before they are full. The next tile's part of x is asked for before a tile is worked on.
#include <algorithm>
#include <array>

#include "kernels/cpu_move.h"
#include "kernels/parallel.h"
#include "kernels/permute/engines.h"

namespace imago::kernels {
namespace {

constexpr std::int64_t tile_bytes = 8192;
constexpr std::int64_t long_unit = 64;  // bytes: units from here on are copied one by one

struct Offsets {
  std::int64_t from = 0, to = 0;
};

// Where number `index` of the loops starts, the last loop running fastest.
Offsets offsets_of(std::span<const PermuteLoop> loops, std::int64_t index) {
  Offsets at;
  for (std::size_t i = loops.size(); i-- > 0;) {
    const std::int64_t step = index % loops[i].extent;
    index /= loops[i].extent;
    at.from += step * loops[i].from;
    at.to += step * loops[i].to;
  }
  return at;
}

void move_units(const std::byte* from, const PermutePlan& plan, std::int64_t unit, std::byte* to,
                bool stream) {
  const std::span all(plan.loops);
  const PermuteLoop last = all.back();
  const auto outer = all.first(all.size() - 1);
  std::int64_t rows = 1;  // runs of the last loop
  for (const PermuteLoop& loop : outer) rows *= loop.extent;
  // A piece is a part of one run.
  const std::int64_t piece = std::max<std::int64_t>(1, moved_grain_bytes / unit);
  const std::int64_t pieces = ceil_div(last.extent, piece);
  const std::int64_t grain = std::max<std::int64_t>(1, piece / last.extent);
  parallel_ranges(rows * pieces, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const Offsets at = offsets_of(outer, task / pieces);
      const std::int64_t first = task % pieces * piece;
      const std::int64_t count = std::min(piece, last.extent - first);
      move_rows(from + (at.from + first * last.from) * unit, last.from * unit, count, unit,
                to + (at.to + first) * unit, unit, stream);
    }
    if (stream) finish_streams();
  });
}

void move_tiles(const std::byte* from, const PermutePlan& plan, std::int64_t unit, std::byte* to,
                bool stream) {
  const PermuteLoop rows = plan.loops.back();
  const PermuteLoop columns = plan.loops[static_cast<std::size_t>(plan.columns)];
  std::vector<PermuteLoop> outer = plan.loops;
  outer.pop_back();
  outer.erase(outer.begin() + plan.columns);
  std::int64_t batches = 1;
  for (const PermuteLoop& loop : outer) batches *= loop.extent;

  // Runs of 256 bytes in the result and 128 in x, longer ones where the other side is short.
  const std::int64_t most = tile_bytes / unit;
  const std::int64_t run = std::max<std::int64_t>(1, 128 / unit);
  const std::int64_t height =
      std::min(rows.extent, std::max(2 * run, most / std::min(columns.extent, run)));
  const std::int64_t width = std::min(columns.extent, std::max<std::int64_t>(1, most / height));
  const std::int64_t down = ceil_div(rows.extent, height), across = ceil_div(columns.extent, width);
  struct Part {
    const std::byte* source = nullptr;
    std::byte* target = nullptr;
    std::int64_t rows = 0, columns = 0;
  };
  const auto part_of = [&](std::int64_t task) {
    const std::int64_t j0 = task % across * width, i0 = task / across % down * height;
    const Offsets at = offsets_of(outer, task / across / down);
    return Part{from + (at.from + i0 * rows.from + j0) * unit,
                to + (at.to + j0 * columns.to + i0) * unit, std::min(height, rows.extent - i0),
                std::min(width, columns.extent - j0)};
  };

  const std::int64_t grain = std::max<std::int64_t>(1, moved_grain_bytes / (height * width * unit));
  parallel_ranges(batches * down * across, grain, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) std::array<std::byte, tile_bytes> tile;
    Part part = part_of(begin);
    prefetch_rows(part.source, rows.from * unit, part.rows, part.columns * unit);
    for (std::int64_t task = begin; task < end; ++task) {
      const Part next = task + 1 < end ? part_of(task + 1) : Part{};
      prefetch_rows(next.source, rows.from * unit, next.rows, next.columns * unit);
      const std::int64_t run_bytes = part.rows * unit;
      move_transposed(part.source, rows.from * unit, part.rows, part.columns, unit, tile.data(),
                      run_bytes);
      move_rows(tile.data(), run_bytes, part.columns, run_bytes, part.target, columns.to * unit,
                stream);
      part = next;
    }
    if (stream) finish_streams();
  });
}

}  // namespace

void permute_direct(const Tensor& x, const PermutePlan& plan, Tensor& out) {
  const std::byte* from = x.bytes();
  std::byte* to = out.mutable_bytes();
  const auto bytes = static_cast<std::int64_t>(x.nbytes());
  const bool stream = bytes >= streamed_bytes;
  const std::int64_t unit = plan.unit_bytes(x.dtype());
  if (plan.is_copy()) {
    parallel_ranges(bytes, moved_grain_bytes, [&](std::int64_t begin, std::int64_t end) {
      move_bytes(from + begin, end - begin, to + begin, stream);
      if (stream) finish_streams();
    });
  } else if (unit >= long_unit) {
    move_units(from, plan, unit, to, stream);
  } else {
    move_tiles(from, plan, unit, to, stream);
  }
}

}  // namespace imago::kernels
