// Index arithmetic that the three naive kernels of conv2d share.
#pragma once

#include "kernels/conv2d/engines.h"
#include "kernels/launch.h"

namespace imago::kernels::naive {

constexpr int block_size = 256;

// The extents as 32-bit numbers, which a GPU divides several times faster than 64-bit ones.
struct Extents {
  int N, H, W, C, K, R, S, P, Q;
  int group_c, group_k;  // channels of one group
  int stride_h, stride_w, top, left, dilation_h, dilation_w;
};

inline Extents extents_of(const char* op, const Conv2dProblem& p) {
  const Conv2dParams& a = p.params;
  constexpr std::int64_t limit = std::int64_t{1} << 30;
  const std::int64_t largest_h = p.H + a.pad.top + a.pad.bottom;
  const std::int64_t largest_w = p.W + a.pad.left + a.pad.right;
  for (const std::int64_t extent : {p.N, largest_h, largest_w, p.C, p.K, p.R, p.S, p.P, p.Q,
                                    std::int64_t{a.stride_h}, std::int64_t{a.stride_w}}) {
    check(extent < limit, op, "the naive engine takes extents below 2^30, not ", extent);
  }
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  return {narrow(p.N),
          narrow(p.H),
          narrow(p.W),
          narrow(p.C),
          narrow(p.K),
          narrow(p.R),
          narrow(p.S),
          narrow(p.P),
          narrow(p.Q),
          narrow(p.C / a.groups),
          narrow(p.K / a.groups),
          a.stride_h,
          a.stride_w,
          a.pad.top,
          a.pad.left,
          a.dilation_h,
          a.dilation_w};
}

// Element (i, j, k, l) of an array whose last three extents are J, K, L.
__device__ inline std::int64_t at(std::int64_t i, int j, int k, int l, int J, int K, int L) {
  return ((i * J + j) * K + k) * L + l;
}

// The inverse of at(): takes the last index off `flat`.
__device__ inline int take_last(std::int64_t& flat, int extent) {
  const std::int64_t rest = flat / extent;
  const int last = static_cast<int>(flat - rest * extent);
  flat = rest;
  return last;
}

}  // namespace imago::kernels::naive
