// How the kernels that look at each element by itself cut a range of elements into threads.
//
// A wide access must start at a multiple of its size, but a tensor may be a slice that starts
// anywhere. If all arrays are off by the same number of elements, a few elements at the head and
// the tail go one by one and the body goes in packs; if not, everything goes one by one.
//
//   elements   | 0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12 |      f32, 12 bytes past a multiple of 16,
//              | head  |  pack 0 |  pack 1  | tail  |      count = 13
//   thread     | 2 3 4 |    0    |    1     | 5  6  |
//
// The packs come first so that all threads of a warp, but for one warp, do the same.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "kernels/launch.h"

namespace imago::kernels {

// Threads [0, packs) take a pack each, threads [packs, threads) an element each.
struct Packs {
  std::int64_t head, packs, threads;
};

// How many elements `first` lies past the last place where a pack of `lanes` elements may start.
template <int lanes, class T>
int pack_phase(const T* first) {
  static_assert(lanes * sizeof(T) <= 16);
  return static_cast<int>(misalignment16(first) / sizeof(T) % lanes);
}

// The cut of `count` elements of arrays with these phases.
template <int lanes>
Packs cut_into_packs(std::int64_t count, std::initializer_list<int> phases) {
  const int phase = *phases.begin();
  for (const int other : phases) {
    if (other != phase) return {count, 0, count};
  }
  const std::int64_t to_boundary = (lanes - phase) % lanes;
  const std::int64_t head = to_boundary < count ? to_boundary : count;
  const std::int64_t packs = (count - head) / lanes;
  return {head, packs, packs + count - packs * lanes};
}

// Calls whole(i) for a pack that begins at element i, or one(i) for a single element, whichever is
// this thread's; nothing in a thread that is too many.
template <int lanes, class Whole, class One>
__device__ void take_pack(const Packs& cut, Whole&& whole, One&& one) {
  const std::int64_t thread = global_thread();
  if (thread >= cut.threads) return;
  if (thread < cut.packs) {
    whole(cut.head + thread * lanes);
  } else {
    const std::int64_t single = thread - cut.packs;
    one(single < cut.head ? single : single + cut.packs * lanes);
  }
}

}  // namespace imago::kernels
