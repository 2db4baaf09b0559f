// The inner loop of sum_to: the sum of up to `part_rows` rows.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace imago::kernels {

// Rows summed by one call, and columns it may sum at once: with 8 rows added as a tree at a time, a
// chain is 32 additions long, and the sums stay in the L1 cache.
constexpr std::int64_t sum_part_rows = 256;
constexpr std::int64_t sum_tile_columns = 1024;

// out[j] = sum over i < rows of x[i * pitch + j], j < columns <= sum_tile_columns; rows <=
// sum_part_rows. The order of the additions depends on `rows` only.
void sum_rows(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
              float* out);
void sum_rows(const double* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
              double* out);
void sum_rows(const bf16* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
              float* out);

}  // namespace imago::kernels
