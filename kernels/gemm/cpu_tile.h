// The register tiles under every fast f32 kernel on the CPU, compiled for each SIMD target and
// chosen at run time.
//
// A tile adds the product of a strip of A and a panel of B to a few rows of C, all of which it
// holds in registers while it runs over the depth:
//
//     rows[i][j] (+)= sum over k < depth of a(i, k) * b[k * width + j],    j < width
//
// width = vectors * lanes with 1 or 2 vectors. Each element is summed in the order of k by fused
// multiply-adds (a multiply and an add where the target has none) from 0, then added to what the
// row holds: its value does not depend on the size of the tile it is computed in.
#pragma once

#include <cstdint>

namespace imago::kernels {

// Depth of a strip: a panel of 2 vectors (32 KB with AVX-512) and a strip fit the L1 cache.
inline constexpr std::int64_t tile_depth = 256;
// Distance of the rows of a row-major strip. Rows a multiple of 1 KB apart would compete for few
// banks of the cache.
inline constexpr std::int64_t strip_row = tile_depth + 16;
inline constexpr int max_tile_rows = 14;

// a: a packed strip; b: a packed panel [depth][width]; rows: a pointer for each row of C.
using Tile = void (*)(const float* a, const float* b, std::int64_t depth, float* const* rows,
                      bool add);

struct Tiles {
  int rows;   // most rows of a tile
  int lanes;  // floats in a vector
  // [vectors][rows], vectors 1 or 2, rows 1 .. this->rows.
  Tile row_major[3][max_tile_rows + 1];     // a(i, k) = a[i * strip_row + k]
  Tile column_major[3][max_tile_rows + 1];  // a(i, k) = a[k * rows + i]

  int panel() const { return 2 * lanes; }
};

// The tiles of the best SIMD target of this processor.
const Tiles& tiles();

// Copies a matrix: dst[i * dst_row + j] = src[i * src_row + j], i < rows, j < columns.
void copy_matrix(const float* src, std::int64_t src_row, std::int64_t rows, std::int64_t columns,
                 float* dst, std::int64_t dst_row);
// Transposes one: dst[j * dst_row + i] = src[i * src_row + j].
void transpose_matrix(const float* src, std::int64_t src_row, std::int64_t rows,
                      std::int64_t columns, float* dst, std::int64_t dst_row);

// Packs the columns of a matrix (depth, columns) as column-major strips in one pass over its rows:
// strip s holds columns [begins[s], begins[s + 1]), from dst +
// (begins[s] - begins[0]) * tile_depth.
void deal_columns(const float* src, std::int64_t src_row, std::int64_t depth,
                  const std::int64_t* begins, std::int64_t strips, float* dst);

}  // namespace imago::kernels
