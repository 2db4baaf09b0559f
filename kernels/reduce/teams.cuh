// Rows of contiguous elements, each walked by a team of threads: a warp, or the block.
//
//   row 0   | t0 t1 t2 ... t31 | t0 t1 ... |      a team of 32 threads; 8 rows in a block
//   row 1   | t0 ...
//
// Threads of a team take packs of 16 bytes side by side, or single elements where rows do not begin
// at multiples of 16 bytes. What each found is joined first in the warp by exchanging with the
// thread 16, 8, 4, 2, 1 away (so that every thread ends with the result, and as a + b is b + a, all
// with the same bits), then over the warps of the block in order.
#pragma once

#include "kernels/launch.h"

namespace imago::kernels {

inline constexpr int team_block = 256;          // threads
inline constexpr std::int64_t warp_row = 1024;  // elements of the longest row that a warp takes

template <class A>
struct TeamBlock {
  Tile<A, team_block / 32> part;
};

// The join of what all threads of a team hold, known to all of them. All threads of the team call
// it; a team of 256 is the block.
template <int team, class A, class Join>
__device__ A team_fold(A mine, Join join) {
  for (int away = 16; away >= 1; away /= 2) {
    mine = join(mine, __shfl_xor_sync(0xffffffffu, mine, away));
  }
  if constexpr (team == 32) {
    return mine;
  } else {
    auto& s = shared<TeamBlock<A>>();
    const int warp = static_cast<int>(threadIdx.x) / 32;
    __syncthreads();  // whoever still reads an earlier result
    if (threadIdx.x % 32 == 0) s.part(warp) = mine;
    __syncthreads();
    A total = s.part(0);
    for (int w = 1; w < team_block / 32; ++w) total = join(total, s.part(w));
    return total;
  }
}

// Calls f.operator()<n>(i) for this thread's n elements from i on, n a whole pack or 1.
template <int team, int lanes, class F>
__device__ void walk_row(std::int64_t length, bool packed, F&& f) {
  const std::int64_t lane = threadIdx.x % team;
  if (packed) {
    for (std::int64_t i = lane * lanes; i < length; i += team * lanes)
      f.template operator()<lanes>(i);
  } else {
    for (std::int64_t i = lane; i < length; i += team) f.template operator()<1>(i);
  }
}

// The row of this thread's team.
template <int team>
__device__ std::int64_t team_row() {
  return (blockIdx.x * std::int64_t{team_block} + threadIdx.x) / team;
}

// Whether rows of `length` elements, of tensors off by `address` bytes (misalignment16, or'ed), can
// be walked in packs of 16 bytes.
inline bool rows_packed(std::int64_t length, std::size_t address, int lanes) {
  return length % lanes == 0 && address == 0;
}

// Calls f.operator()<team>() with the team for rows of `length` elements.
template <class F>
void with_team(std::int64_t length, F&& f) {
  if (length <= warp_row) {
    f.template operator()<32>();
  } else {
    f.template operator()<team_block>();
  }
}

}  // namespace imago::kernels
