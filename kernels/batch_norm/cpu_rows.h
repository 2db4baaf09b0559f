// The SIMD loops of batch norm over a block of consecutive rows, f32. A block is (rows, width) with
// one column for each entry of the tables. Widths that are multiples of `strip_width` run in full
// vectors, others one lane at a time: cpu_direct.cpp folds the channels so that the bulk of every
// problem is of the first kind.
#pragma once

#include <cstdint>

namespace imago::kernels {

constexpr std::int64_t strip_width = 64;

// Per column: z = (x - mean) * scale + beta, scale = gamma * invstd.
struct BatchNormTables {
  const float* mean;
  const float* scale;
  const float* beta;
  // Backward only: dx = scale * dz + (x - mean) * dx_slope + dx_offset.
  const float* dx_slope = nullptr;
  const float* dx_offset = nullptr;
};

// Merges a block of at most 64 rows into the mean and the sum of squared deviations (width) of
// `rows_before` rows (both zero when there are none).
void merge_block_moments(const float* x, std::int64_t rows, std::int64_t width, double rows_before,
                         double* mean, double* squares);

// Merges the moments of `rows_b` rows into those of `rows_a` rows, column by column (Chan et al.).
void merge_moments(double rows_a, double* mean_a, double* squares_a, double rows_b,
                   const double* mean_b, const double* squares_b, std::int64_t width);

// y = z > 0 ? z : slope * z. With `stream`, y is 64-byte aligned and written past the caches.
void affine_rows(const float* x, float* y, std::int64_t rows, std::int64_t width,
                 const BatchNormTables& tables, float slope, bool stream);

// With dz = dy * (z > 0 ? 1 : slope), adds a block of at most 64 rows to the sums over rows of dz
// and of dz * (x - mean), both (width).
void add_block_grad_sums(const float* dy, const float* x, std::int64_t rows, std::int64_t width,
                         const BatchNormTables& tables, float slope, double* sum_dz,
                         double* sum_dz_d);

void grad_rows(const float* dy, const float* x, float* dx, std::int64_t rows, std::int64_t width,
               const BatchNormTables& tables, float slope, bool stream);

}  // namespace imago::kernels
