// Copies short runs of floats, inlined into the packing loops of each SIMD target: a call of memcpy
// costs more than the dozen floats it often moves.
#if defined(IMAGO_KERNELS_GEMM_CPU_COPY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef IMAGO_KERNELS_GEMM_CPU_COPY_INL_H_
#undef IMAGO_KERNELS_GEMM_CPU_COPY_INL_H_
#else
#define IMAGO_KERNELS_GEMM_CPU_COPY_INL_H_
#endif

#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels {
namespace HWY_NAMESPACE {

namespace copy_detail {

// n >= lanes of d. The last vector overlaps the one before it.
template <class D>
HWY_INLINE void copy_by(D d, const float* src, std::int64_t n, float* dst) {
  const auto lanes = static_cast<std::int64_t>(hwy::HWY_NAMESPACE::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hwy::HWY_NAMESPACE::StoreU(hwy::HWY_NAMESPACE::LoadU(d, src + i), d, dst + i);
  }
  if (i < n) {
    hwy::HWY_NAMESPACE::StoreU(hwy::HWY_NAMESPACE::LoadU(d, src + n - lanes), d, dst + n - lanes);
  }
}

}  // namespace copy_detail

HWY_INLINE void copy_floats(const float* HWY_RESTRICT src, std::int64_t n,
                            float* HWY_RESTRICT dst) {
  const hwy::HWY_NAMESPACE::ScalableTag<float> full;
  if (n >= static_cast<std::int64_t>(hwy::HWY_NAMESPACE::Lanes(full))) {
    copy_detail::copy_by(full, src, n, dst);
    return;
  }
  const hwy::HWY_NAMESPACE::CappedTag<float, 4> four;
  if (n >= static_cast<std::int64_t>(hwy::HWY_NAMESPACE::Lanes(four))) {
    copy_detail::copy_by(four, src, n, dst);
  } else {
    for (std::int64_t i = 0; i < n; ++i) dst[i] = src[i];
  }
}

// Asks for memory that will be read soon; it need not be valid.
HWY_INLINE void prefetch_floats(const float* src, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += 16) hwy::Prefetch(src + i);
}

HWY_INLINE void zero_floats(std::int64_t n, float* dst) {
  for (std::int64_t i = 0; i < n; ++i) dst[i] = 0.0f;
}

}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels
HWY_AFTER_NAMESPACE();

#endif
