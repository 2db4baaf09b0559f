// How thread blocks share the columns of x (outer, rows, columns) when each column is summed over
// its rows, or when every element is mapped with something known per column. It serves sum_to and
// batch norm; the device half is in columns.cuh.
//
// Folding: 16 bytes of one row are `lanes` columns. A row that is not a multiple of 16 bytes is no
// obstacle: `fold` rows one after another are one wide row that is, and its column j belongs to
// column j % columns. Rows left over from folding make one short row at the end.
//
// A block takes a tile of the wide row's columns and a part of the rows. Its 256 threads are
//
//                  units of `lanes` columns
//                  u0   u1   u2   ...             thread = (outer lane * row_lanes + row lane)
//   wide row 0    [t0] [t1] [t2]  row lane 0                * tile_units + unit
//   wide row 1    [t8] [t9]  .    row lane 1
//   ...                           ...             neighbouring threads read neighbouring units
//   wide row R    [t0] [t1] [t2]  row lane 0      again: each thread walks down its column
//
// and, where one small matrix does not fill a block, several matrices side by side (outer lanes).
//
// All of this is a function of the extents, so a sum has one order whatever the address of x, the
// GPU or the run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace imago::kernels {

inline constexpr int column_threads = 256;  // of a block

struct Columns {
  std::int64_t outer, rows, columns;
  std::int64_t width;             // columns of a wide row
  std::int64_t wide_rows;         // of `fold` rows each; at least 1
  std::int64_t parts, part_rows;  // parts of part_rows wide rows, the last one of what is left
  std::int64_t tiles;             // of tile_units units
  int fold;
  int tile_units, row_lanes, outers;  // the threads of a block
  bool packed;                        // units are 16 bytes, else single elements

  std::int64_t outer_blocks() const { return (outer + outers - 1) / outers; }
  std::int64_t blocks() const { return outer_blocks() * parts * tiles; }
};

// What a kernel wants of its blocks.
struct ColumnsWish {
  int lanes;            // elements in 16 bytes
  int chunk;            // rows a thread loads at once; parts are whole chunks
  std::int64_t blocks;  // enough to fill a GPU; fewer where there is not so much to do
  int longest = 32;     // chunks one thread may take one after another, so that errors stay small
  bool narrow = true;   // small problems in narrow tiles: more blocks, shorter walks
};

// Takes outer, rows and columns of at least 1.
Columns plan_columns(std::int64_t outer, std::int64_t rows, std::int64_t columns,
                     const ColumnsWish& wish);

// Whether units can be loaded whole: `address` is misalignment16 of all tensors, or'ed.
bool units_aligned(const Columns& columns, std::size_t address, int lanes);

}  // namespace imago::kernels
