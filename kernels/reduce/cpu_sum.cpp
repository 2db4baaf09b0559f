#include "kernels/reduce/cpu_sum.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduce/cpu_sum.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <class T>
HWY_ATTR void sum_rows_loop(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
                            acc_t<T>* out) {
  using A = acc_t<T>;
  alignas(64) A acc[sum_tile_columns];
  for (std::int64_t j = 0; j < columns; ++j) acc[j] = A(0);
  std::int64_t i = 0;
  for (; i + 8 <= rows; i += 8) {
    const T* r = x + i * pitch;
    for (std::int64_t j = 0; j < columns; ++j) {
      const A s01 = A(r[j]) + A(r[pitch + j]);
      const A s23 = A(r[2 * pitch + j]) + A(r[3 * pitch + j]);
      const A s45 = A(r[4 * pitch + j]) + A(r[5 * pitch + j]);
      const A s67 = A(r[6 * pitch + j]) + A(r[7 * pitch + j]);
      acc[j] += (s01 + s23) + (s45 + s67);
    }
  }
  for (; i < rows; ++i) {
    const T* r = x + i * pitch;
    for (std::int64_t j = 0; j < columns; ++j) acc[j] += A(r[j]);
  }
  for (std::int64_t j = 0; j < columns; ++j) out[j] = acc[j];
}

HWY_ATTR void sum_rows_f32(const float* x, std::int64_t rows, std::int64_t columns,
                           std::int64_t pitch, float* out) {
  sum_rows_loop<float>(x, rows, columns, pitch, out);
}
HWY_ATTR void sum_rows_bf16(const bf16* x, std::int64_t rows, std::int64_t columns,
                            std::int64_t pitch, float* out) {
  sum_rows_loop<bf16>(x, rows, columns, pitch, out);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(sum_rows_f32);
HWY_EXPORT(sum_rows_bf16);

void sum_rows(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
              float* out) {
  HWY_DYNAMIC_DISPATCH(sum_rows_f32)(x, rows, columns, pitch, out);
}
void sum_rows(const bf16* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
              float* out) {
  HWY_DYNAMIC_DISPATCH(sum_rows_bf16)(x, rows, columns, pitch, out);
}
void sum_rows(const double* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
              double* out) {
  HWY_STATIC_DISPATCH(sum_rows_loop<double>)(x, rows, columns, pitch, out);
}

}  // namespace imago::kernels
#endif
