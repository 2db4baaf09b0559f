#include "kernels/adam/cpu_adam.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_map.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/adam/cpu_adam.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <class T>
HWY_ATTR void adam_loop(const AdamSlice<T>& slice, const AdamFactors<T>& factors) {
  T* p = slice.p;
  const T* g = slice.g;
  T* m = slice.m;
  T* v = slice.v;
  const AdamFactors<T> f = factors;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < slice.n; ++i) adam_element(p[i], g[i], m[i], v[i], f);
}

HWY_ATTR void adam_f32(const AdamSlice<float>& slice, const AdamFactors<float>& factors) {
  adam_loop(slice, factors);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(adam_f32);

void adam_slice(const AdamSlice<float>& slice, const AdamFactors<float>& factors) {
  HWY_DYNAMIC_DISPATCH(adam_f32)(slice, factors);
}
void adam_slice(const AdamSlice<double>& slice, const AdamFactors<double>& factors) {
  HWY_STATIC_DISPATCH(adam_loop<double>)(slice, factors);
}

}  // namespace imago::kernels
#endif
