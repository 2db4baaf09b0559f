// The fold of one row of contiguous elements, inlined into the loops of each SIMD target.
#if defined(IMAGO_KERNELS_REDUCE_CPU_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef IMAGO_KERNELS_REDUCE_CPU_ROW_INL_H_
#undef IMAGO_KERNELS_REDUCE_CPU_ROW_INL_H_
#else
#define IMAGO_KERNELS_REDUCE_CPU_ROW_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "kernels/reduce/fold.h"
#include "kernels/simd_transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace row_detail {

// The fold of element(i) over all i < length that are l modulo `lanes`, for each l < lanes; the
// number of lanes is no matter of the target.
template <Fold op, std::int64_t lanes, class C, class Element>
[[gnu::always_inline]] inline HWY_ATTR void fold_lanes(std::int64_t length, Element element,
                                                       C* acc) {
  for (std::int64_t l = 0; l < lanes; ++l) acc[l] = fold_nothing<op, C>();
  std::int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
#pragma GCC ivdep
#pragma GCC unroll 1
    for (std::int64_t l = 0; l < lanes; ++l) acc[l] = fold_join<op>(acc[l], element(i + l));
  }
  const std::int64_t rest = length % lanes;
  for (std::int64_t l = 0; l < rest; ++l) acc[l] = fold_join<op>(acc[l], element(i + l));
}

// Lanes apart, then lanes pairwise.
template <Fold op, std::int64_t lanes, class C, class Element>
[[gnu::always_inline]] inline HWY_ATTR C fold_row(std::int64_t length, Element element) {
  alignas(64) C acc[lanes];
  fold_lanes<op, lanes>(length, element, acc);
#pragma GCC unroll 8
  for (std::int64_t half = lanes / 2; half >= 1; half /= 2) {
#pragma GCC ivdep
    for (std::int64_t l = 0; l < half; ++l) acc[l] = fold_join<op>(acc[l], acc[l + half]);
  }
  return acc[0];
}

}  // namespace row_detail

// Asks for the first bytes of a row that comes next, while this one is worked on: a row is read
// several times, and memory has nothing to do from the second time on.
[[gnu::always_inline]] inline HWY_ATTR void ask_for_row(const void* row, std::int64_t bytes) {
  for (std::int64_t b = 0; b < bytes && b < 8192; b += 64) {
    __builtin_prefetch(static_cast<const char*>(row) + b);
  }
}

// The fold of element(i), of type C, over i < length. 64 lanes are whole vectors on every target,
// several of them so that one addition need not wait for the one before; short rows have no use for
// so many.
constexpr std::int64_t short_row = 128;
constexpr std::int64_t short_row_lanes = 16;
template <Fold op, class C, class Element>
[[gnu::always_inline]] inline HWY_ATTR C fold_row(std::int64_t length, Element element) {
  if (length < short_row) return row_detail::fold_row<op, short_row_lanes, C>(length, element);
  return row_detail::fold_row<op, 64, C>(length, element);
}

// The same bits for up to 16 rows, element(row, i) each, of fewer than short_row elements: joining
// the lanes of one of them would take as long as its arithmetic, so those of all are joined at
// once, transposed, a row in each lane. `out` has 16 places.
constexpr std::int64_t row_group = 16;
template <Fold op, class C, class Element>
[[gnu::always_inline]] inline HWY_ATTR void fold_short_rows(std::int64_t rows, std::int64_t length,
                                                            Element element, C* out) {
  alignas(64) C acc[row_group * short_row_lanes], across[row_group * short_row_lanes];
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto own = [r, element](std::int64_t i) HWY_ATTR { return element(r, i); };
    row_detail::fold_lanes<op, short_row_lanes>(length, own, acc + r * short_row_lanes);
  }
  for (std::int64_t i = rows * short_row_lanes; i < row_group * short_row_lanes; ++i) acc[i] = C(0);
  transpose_elements(acc, short_row_lanes, row_group, short_row_lanes, across, row_group);
  for (std::int64_t half = short_row_lanes / 2; half >= 1; half /= 2) {
    const std::int64_t n = half * row_group;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) across[i] = fold_join<op>(across[i], across[n + i]);
  }
  for (std::int64_t r = 0; r < row_group; ++r) out[r] = across[r];
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
