// Which SIMD targets are compiled, the same for every kernel, so that one processor runs one of
// them; include it before any header of Highway. Vectors whose length is known only at run time
// cannot stand in arrays, which the register tiles are; the others are on no processor worth their
// code.
#pragma once

#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_AVX3_DL)
