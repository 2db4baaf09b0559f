// Matrices transposed on the way from one floating dtype to its accumulator type and back.
#if defined(IMAGO_KERNELS_SIMD_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef IMAGO_KERNELS_SIMD_TRANSPOSE_INL_H_
#undef IMAGO_KERNELS_SIMD_TRANSPOSE_INL_H_
#else
#define IMAGO_KERNELS_SIMD_TRANSPOSE_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/simd_elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// to[j * to_row + i] = from[i * from_row + j] for i < rows, j < columns. f32 and bf16 go four rows
// of four at a time, transposed in registers; f64 one by one.
template <class From, class To>
HWY_ATTR void transpose_elements(const From* from, std::int64_t from_row, std::int64_t rows,
                                 std::int64_t columns, To* to, std::int64_t to_row) {
  const auto one = [&](std::int64_t i, std::int64_t j)
                       HWY_ATTR { to[j * to_row + i] = static_cast<To>(from[i * from_row + j]); };
  std::int64_t blocked = 0;  // rows
#if HWY_TARGET != HWY_SCALAR
  if constexpr (!std::is_same_v<From, double>) {
    const hn::CappedTag<float, 4> d;
    const hn::RepartitionToWide<decltype(d)> pairs;
    blocked = rows / 4 * 4;
    const std::int64_t wide = columns / 4 * 4;
    for (std::int64_t i = 0; i < blocked; i += 4) {
      for (std::int64_t j = 0; j < wide; j += 4) {
        const From* s = from + i * from_row + j;
        const auto r0 = load(d, s), r1 = load(d, s + from_row);
        const auto r2 = load(d, s + 2 * from_row), r3 = load(d, s + 3 * from_row);
        const auto a = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
        const auto b = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
        const auto e = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
        const auto f = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
        To* t = to + j * to_row + i;
        store(d, hn::BitCast(d, hn::InterleaveLower(pairs, a, e)), t);
        store(d, hn::BitCast(d, hn::InterleaveUpper(pairs, a, e)), t + to_row);
        store(d, hn::BitCast(d, hn::InterleaveLower(pairs, b, f)), t + 2 * to_row);
        store(d, hn::BitCast(d, hn::InterleaveUpper(pairs, b, f)), t + 3 * to_row);
      }
      for (std::int64_t j = wide; j < columns; ++j) {
        for (int l = 0; l < 4; ++l) one(i + l, j);
      }
    }
  }
#endif
  for (std::int64_t i = blocked; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) one(i, j);
  }
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
