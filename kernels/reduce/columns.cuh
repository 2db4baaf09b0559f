// The device half of columns.h: which elements a thread takes, how it loads them, and how the
// threads of a block add up what they have found.
#pragma once

#include "kernels/launch.h"
#include "kernels/reduce/columns.h"

namespace imago::kernels {

// The columns of one thread: a Pack, or a single element.
template <class T, int lanes>
struct alignas(sizeof(T) * lanes) Unit {
  T lane[lanes];
};

// What a thread takes.
struct ColumnPlace {
  std::int64_t outer, part;
  std::int64_t column;  // its first column of the wide row
  std::int64_t row;     // its first wide row; the next one is row_lanes further
  bool works;  // whether it has columns; if not, nothing of it but row_lane and slot counts
  int count;   // how many wide rows; may be 0
  int extra;   // how many of its lanes have an element in the short row, too
  int row_lane, outer_lane;
  int slot;  // where its first lane is in a tile of all threads' lanes
};

// `block` counts tiles first, then parts, then outer blocks.
template <int lanes>
__device__ ColumnPlace place_of(const Columns& c, std::int64_t block) {
  const int thread = static_cast<int>(threadIdx.x);
  const int unit = thread % c.tile_units, rest = thread / c.tile_units;
  ColumnPlace at;
  const std::int64_t tile = block % c.tiles;
  block /= c.tiles;
  at.part = block % c.parts;
  at.outer_lane = rest / c.row_lanes;
  at.row_lane = rest % c.row_lanes;
  at.outer = block / c.parts * c.outers + at.outer_lane;
  at.column = (tile * c.tile_units + unit) * lanes;
  at.slot = thread * lanes;
  const std::int64_t begin = at.part * c.part_rows;
  at.row = begin + at.row_lane;
  at.count = 0, at.extra = 0;
  at.works = at.outer_lane < c.outers && at.outer < c.outer && at.column < c.width;
  if (!at.works) return at;
  const std::int64_t left = c.wide_rows - begin;
  const int rows = static_cast<int>(left < c.part_rows ? left : c.part_rows);
  at.count = (rows - at.row_lane + c.row_lanes - 1) / c.row_lanes;
  // The short row follows the last wide one, in the lane whose turn it is.
  if (at.part == c.parts - 1 && at.row_lane == rows % c.row_lanes) {
    const std::int64_t elements = (c.rows - c.wide_rows * c.fold) * c.columns - at.column;
    for (int l = 0; l < lanes; ++l) at.extra += l < elements;
  }
  return at;
}

// Offset of the thread's first element. The element of lane l in the short row is `extra_of` + l.
__device__ inline std::int64_t first_of(const Columns& c, const ColumnPlace& at) {
  return at.outer * c.rows * c.columns + at.row * c.width + at.column;
}
__device__ inline std::int64_t extra_of(const Columns& c, const ColumnPlace& at) {
  return at.outer * c.rows * c.columns + c.wide_rows * c.width + at.column;
}

// The columns, in [0, columns), of the lanes of a thread that works.
template <int lanes>
__device__ void columns_of(const Columns& c, const ColumnPlace& at, std::int64_t (&column)[lanes]) {
  std::int64_t next = c.fold == 1 ? at.column : at.column % c.columns;
  for (int l = 0; l < lanes; ++l) {
    // A unit may begin in the last columns of one row and end in the first of the next.
    column[l] = next;
    next = next + 1 < c.columns ? next + 1 : 0;
  }
}

// Loads `rows` <= chunk units, `pitch` elements apart, with all loads under way at once; the others
// become 0.
template <class T, int lanes, int chunk>
__device__ void load_rows(Unit<T, lanes> (&unit)[chunk], const T* first, std::int64_t pitch,
                          int rows, bool aligned) {
  if (aligned) {
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      unit[r] = {};
      if (r < rows) unit[r] = load_as<Unit<T, lanes>>(first + r * pitch);
    }
  } else {
#pragma unroll
    for (int r = 0; r < chunk; ++r) {
      unit[r] = {};
      if (r < rows) {
        for (int l = 0; l < lanes; ++l) unit[r].lane[l] = first[r * pitch + l];
      }
    }
  }
}

// One value for each lane of each thread.
template <class A, int lanes>
using LaneTile = Tile<A, column_threads * lanes>;

// Brings the row lanes together, pairwise: join(slot, other) makes what is in the two slots one, in
// the first. Results end in the slots of row lane 0. All threads call it, each having stored its
// lanes; ends with a barrier.
template <int lanes, class Join>
__device__ void join_row_lanes(const Columns& c, const ColumnPlace& at, Join join) {
  int half = 1;
  while (half * 2 < c.row_lanes) half *= 2;
  for (; half >= 1; half /= 2) {
    __syncthreads();
    if (at.outer_lane < c.outers && at.row_lane < half && at.row_lane + half < c.row_lanes) {
      const int other = at.slot + half * c.tile_units * lanes;
      for (int l = 0; l < lanes; ++l) join(at.slot + l, other + l);
    }
  }
  __syncthreads();
}

// The same for sums.
template <class A, int lanes>
__device__ void add_row_lanes(LaneTile<A, lanes>& value, const Columns& c, const ColumnPlace& at) {
  join_row_lanes<lanes>(c, at, [&](int slot, int other) { value(slot) += value(other); });
}

// How many columns of the result a block has for each outer lane; the first is that of its tile.
template <int lanes>
__device__ int result_columns(const Columns& c, std::int64_t tile) {
  if (c.fold > 1) return static_cast<int>(c.columns);
  const std::int64_t left = c.columns - tile * c.tile_units * lanes;
  return static_cast<int>(left < c.tile_units * lanes ? left : c.tile_units * lanes);
}

// After add_row_lanes: the sum of column j of the tile, which the folded rows bring together.
template <class A, int lanes>
__device__ A folded_sum(const LaneTile<A, lanes>& value, const Columns& c, int outer_lane, int j) {
  const int first = outer_lane * c.row_lanes * c.tile_units * lanes + j;
  A sum = value(first);
  for (int k = 1; k < c.fold; ++k) sum += value(first + k * static_cast<int>(c.columns));
  return sum;
}

}  // namespace imago::kernels
