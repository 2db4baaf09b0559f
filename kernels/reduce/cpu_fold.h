// The inner loops of the reductions, on one thread. f32 and bf16 run in the best SIMD target of the
// machine; every target computes the same bits.
#pragma once

#include <cstdint>

#include "kernels/reduce/fold.h"

namespace imago::kernels {

// Rows and columns that one call takes at most when it folds columns, and elements of a row when it
// folds rows.
constexpr std::int64_t fold_part_rows = 256;
constexpr std::int64_t fold_tile_columns = 1024;
constexpr std::int64_t fold_row_length = 8192;

// With columns > 0, each column of a matrix is folded:
//     out[j] = the fold of x[i * pitch + j] over i < rows, for j < columns.
// With columns = 0, each row, of `pitch` >= 1 elements:
//     out[i] = the fold of x[i * pitch + j] over j < pitch, for i < rows.
// The order depends on the extents alone. x holds elements of `dtype`, out of folded_t. With an
// `index`, whatever `op` is, out (of `dtype`) is the largest and index its first i or j.
struct FoldCall {
  Fold op;
  DType dtype;
  const void* x;
  std::int64_t rows, columns, pitch;
  void* out;
  std::int64_t* index = nullptr;
};
void run_fold(const FoldCall& call);

}  // namespace imago::kernels
