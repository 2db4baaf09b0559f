#include "kernels/gemm/cpu_tile.h"

#include <utility>

#include "kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gemm/cpu_tile.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/gemm/cpu_copy-inl.h"
#include "kernels/simd_transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Accumulators, a panel row and one broadcast must fit the register file.
#if HWY_TARGET <= HWY_AVX3
constexpr int most_rows = 14;  // of 32 registers
#elif HWY_TARGET == HWY_NEON
constexpr int most_rows = 12;  // of 32 registers
#else
constexpr int most_rows = 6;  // of 16 registers
#endif

enum class Layout { row_major, column_major };

template <int rows, int vectors, Layout layout>
void tile(const float* a, const float* b, std::int64_t depth, float* const* c, bool add) {
  const hn::ScalableTag<float> d;
  constexpr int lanes = HWY_LANES(float);
  constexpr std::int64_t row_step = layout == Layout::row_major ? strip_row : 1;
  constexpr std::int64_t depth_step = layout == Layout::row_major ? 1 : rows;
  hn::Vec<decltype(d)> sums[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      hwy::Prefetch(c[i] + v * lanes);  // rows of C lie far apart: they arrive during the sum
      sums[i][v] = hn::Zero(d);
    }
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    hn::Vec<decltype(d)> right[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) right[v] = hn::LoadU(d, b + v * lanes);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const auto left = hn::Set(d, a[i * row_step]);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) sums[i][v] = hn::MulAdd(left, right[v], sums[i][v]);
    }
    a += depth_step;
    b += vectors * lanes;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      float* at = c[i] + v * lanes;
      hn::StoreU(add ? hn::Add(hn::LoadU(d, at), sums[i][v]) : sums[i][v], d, at);
    }
  }
}

template <int... i>
void fill(Tiles& table, std::integer_sequence<int, i...>) {
  ((table.row_major[1][i + 1] = tile<i + 1, 1, Layout::row_major>), ...);
  ((table.row_major[2][i + 1] = tile<i + 1, 2, Layout::row_major>), ...);
  ((table.column_major[1][i + 1] = tile<i + 1, 1, Layout::column_major>), ...);
  ((table.column_major[2][i + 1] = tile<i + 1, 2, Layout::column_major>), ...);
}

Tiles make_tiles() {
  Tiles table{};
  table.rows = most_rows;
  table.lanes = HWY_LANES(float);
  fill(table, std::make_integer_sequence<int, most_rows>());
  return table;
}

void copy(const float* src, std::int64_t src_row, std::int64_t rows, std::int64_t columns,
          float* dst, std::int64_t dst_row) {
  for (std::int64_t i = 0; i < rows; ++i) {
    copy_floats(src + i * src_row, columns, dst + i * dst_row);
  }
}

void deal(const float* src, std::int64_t src_row, std::int64_t depth, const std::int64_t* begins,
          std::int64_t strips, float* dst) {
  for (std::int64_t k = 0; k < depth; ++k) {
    const float* row = src + k * src_row;
    prefetch_floats(row + 32 * src_row, begins[strips] - begins[0]);
    for (std::int64_t s = 0; s < strips; ++s) {
      const std::int64_t begin = begins[s] - begins[0], size = begins[s + 1] - begins[s];
      copy_floats(row + begin, size, dst + begin * tile_depth + k * size);
    }
  }
}

void transpose(const float* src, std::int64_t src_row, std::int64_t rows, std::int64_t columns,
               float* dst, std::int64_t dst_row) {
  transpose_elements(src, src_row, rows, columns, dst, dst_row);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(make_tiles);
HWY_EXPORT(copy);
HWY_EXPORT(deal);
HWY_EXPORT(transpose);

const Tiles& tiles() {
  static const Tiles table = HWY_DYNAMIC_DISPATCH(make_tiles)();
  return table;
}

void copy_matrix(const float* src, std::int64_t src_row, std::int64_t rows, std::int64_t columns,
                 float* dst, std::int64_t dst_row) {
  HWY_DYNAMIC_DISPATCH(copy)(src, src_row, rows, columns, dst, dst_row);
}

void deal_columns(const float* src, std::int64_t src_row, std::int64_t depth,
                  const std::int64_t* begins, std::int64_t strips, float* dst) {
  HWY_DYNAMIC_DISPATCH(deal)(src, src_row, depth, begins, strips, dst);
}

void transpose_matrix(const float* src, std::int64_t src_row, std::int64_t rows,
                      std::int64_t columns, float* dst, std::int64_t dst_row) {
  HWY_DYNAMIC_DISPATCH(transpose)(src, src_row, rows, columns, dst, dst_row);
}

}  // namespace imago::kernels
#endif
