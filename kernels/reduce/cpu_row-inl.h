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

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace row_detail {

// Lanes apart, then lanes pairwise; the number of lanes is no matter of the target.
template <Fold op, std::int64_t lanes, class C, class Element>
[[gnu::always_inline]] inline HWY_ATTR C fold_row(std::int64_t length, Element element) {
  alignas(64) C acc[lanes];
  for (std::int64_t l = 0; l < lanes; ++l) acc[l] = fold_nothing<op, C>();
  std::int64_t i = 0;
  for (; i + lanes <= length; i += lanes) {
#pragma GCC ivdep
#pragma GCC unroll 1
    for (std::int64_t l = 0; l < lanes; ++l) acc[l] = fold_join<op>(acc[l], element(i + l));
  }
  for (std::int64_t l = 0; l < length - i; ++l) acc[l] = fold_join<op>(acc[l], element(i + l));
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
template <Fold op, class C, class Element>
[[gnu::always_inline]] inline HWY_ATTR C fold_row(std::int64_t length, Element element) {
  if (length < 128) return row_detail::fold_row<op, 16, C>(length, element);
  return row_detail::fold_row<op, 64, C>(length, element);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
