// Elements of a floating dtype as SIMD vectors of their accumulator type.
#if defined(IMAGO_KERNELS_SIMD_ELEMENTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef IMAGO_KERNELS_SIMD_ELEMENTS_INL_H_
#undef IMAGO_KERNELS_SIMD_ELEMENTS_INL_H_
#else
#define IMAGO_KERNELS_SIMD_ELEMENTS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "tensor/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE HWY_ATTR hn::Vec<D> load(D d, const hn::TFromD<D>* from) {
  return hn::LoadU(d, from);
}
template <class D>
HWY_INLINE HWY_ATTR hn::Vec<D> load(D d, const bf16* from) {
  const hn::RebindToUnsigned<D> d32;
  const hn::Rebind<std::uint16_t, D> d16;
  const auto bits = hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(from));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
}
template <class D>
HWY_INLINE HWY_ATTR void store(D d, hn::Vec<D> v, hn::TFromD<D>* to) {
  hn::StoreU(v, d, to);
}
// Rounds as bf16's constructor.
template <class D>
HWY_INLINE HWY_ATTR void store([[maybe_unused]] D d, hn::Vec<D> v, bf16* to) {
  const hn::RebindToUnsigned<D> d32;
  const hn::Rebind<std::uint16_t, D> d16;
  const auto bits = hn::BitCast(d32, v);
  const auto upper = hn::ShiftRight<16>(bits);
  const auto odd = hn::And(upper, hn::Set(d32, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(hn::Set(d32, 0x7fff), odd)));
  const auto is_nan = hn::RebindMask(d32, hn::Ne(v, v));
  const auto narrow = hn::IfThenElse(is_nan, hn::Or(upper, hn::Set(d32, 0x40)), rounded);
  hn::StoreU(hn::TruncateTo(d16, narrow), d16, reinterpret_cast<std::uint16_t*>(to));
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
