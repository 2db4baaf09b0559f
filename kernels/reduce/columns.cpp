#include "kernels/reduce/columns.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "kernels/parallel.h"

namespace imago::kernels {

namespace {

constexpr std::int64_t widest_fold = 128;                      // units of a folded row
constexpr std::int64_t small_problem = std::int64_t{1} << 18;  // elements

// As many row lanes as there are rows, rounded up to a power of two, but at most `most`.
std::int64_t lanes_for(std::int64_t rows, std::int64_t most) {
  if (rows >= most) return most;
  return std::min(most, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(rows))));
}

}  // namespace

Columns plan_columns(std::int64_t outer, std::int64_t rows, std::int64_t columns,
                     const ColumnsWish& wish) {
  Columns c{};
  c.outer = outer, c.rows = rows, c.columns = columns;
  const std::int64_t fold = wish.lanes / std::gcd<std::int64_t>(wish.lanes, columns);
  c.packed = fold == 1 || (fold <= rows && fold * columns <= widest_fold * wish.lanes);
  c.fold = c.packed ? static_cast<int>(fold) : 1;
  c.width = columns * c.fold;
  c.wide_rows = rows / c.fold;
  const std::int64_t lanes = c.packed ? wish.lanes : 1;
  const std::int64_t units = c.width / lanes;

  // Tiles are at least 512 bytes of a row, of small problems 64: more blocks, shorter walks.
  const bool small = wish.narrow && rows * columns <= small_problem;
  const std::int64_t wide = (small ? 4 : 32) * wish.lanes / lanes;
  std::int64_t tile = units, row_lanes = 0;
  if (units <= wide || c.fold > 1) {
    row_lanes = lanes_for(c.wide_rows, column_threads / units);
  } else {
    row_lanes = lanes_for(c.wide_rows, column_threads / wide);
    c.tiles = ceil_div(units, column_threads / row_lanes);
    tile = ceil_div(units, c.tiles);
  }
  c.tiles = ceil_div(units, tile);
  c.tile_units = static_cast<int>(tile);
  c.row_lanes = static_cast<int>(row_lanes);
  c.outers = static_cast<int>(std::min(outer, column_threads / (row_lanes * tile)));

  const std::int64_t step = row_lanes * wish.chunk;  // wide rows a block loads at once
  const std::int64_t steps = ceil_div(c.wide_rows, step);
  const std::int64_t others = c.tiles * c.outer_blocks();
  std::int64_t parts = std::clamp<std::int64_t>(wish.blocks / others, 1, steps);
  parts = std::max(parts, ceil_div(steps, wish.longest));
  c.part_rows = ceil_div(steps, parts) * step;
  c.parts = ceil_div(c.wide_rows, c.part_rows);
  return c;
}

bool units_aligned(const Columns& c, std::size_t address, int lanes) {
  return c.packed && address == 0 && (c.outer == 1 || c.rows * c.columns % lanes == 0);
}

}  // namespace imago::kernels
