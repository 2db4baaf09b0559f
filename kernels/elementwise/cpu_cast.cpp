#include "kernels/elementwise/cpu_map.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/cpu_cast.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/simd_elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <class From, class To>
HWY_ATTR void cast_loop(const From* x, To* out, std::int64_t n) {
  const hn::ScalableTag<float> whole;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(whole));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(whole, load(whole, x + i), out + i);
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) store(one, load(one, x + i), out + i);
}

HWY_ATTR void cast_to_f32(const bf16* x, float* out, std::int64_t n) {
  cast_loop(x, out, n);
}
HWY_ATTR void cast_to_bf16(const float* x, bf16* out, std::int64_t n) {
  cast_loop(x, out, n);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(cast_to_f32);
HWY_EXPORT(cast_to_bf16);

void map_cast(const bf16* x, float* out, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(cast_to_f32)(x, out, n);
}
void map_cast(const float* x, bf16* out, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(cast_to_bf16)(x, out, n);
}

}  // namespace imago::kernels
#endif
