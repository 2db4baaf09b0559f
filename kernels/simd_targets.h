// Which SIMD targets are compiled, the same for every kernel, so that one processor runs one of
// them; include it before any header of Highway. Vectors whose length is known only at run time
// cannot stand in arrays, which the register tiles are; the others are on no processor worth their
// code.
#pragma once

// Where a sanitizer watches, the baseline and AVX2 stand for all: the loops are the same, and each
// target costs their compilation once more.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IMAGO_UNWATCHED_TARGETS (HWY_SSE4 | HWY_AVX3)
#else
#define IMAGO_UNWATCHED_TARGETS 0
#endif

#define HWY_DISABLED_TARGETS                                                             \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_AVX3_DL | \
   IMAGO_UNWATCHED_TARGETS)
