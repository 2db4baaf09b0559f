// How a thread finds and fetches its elements of operands that broadcast.
//
// A thread makes `lanes` elements in a row of the whole result. The loops of broadcast.h say where
// an operand lies, and the host chooses how it is fetched:
//
//   pack   one wide load: the operand is as large as the result, or its rows are whole packs
//   one    one element for all lanes: the operand is repeated along the innermost loop
//   each   one load a lane, each place worked out by itself: everything else
#pragma once

#include <algorithm>
#include <span>

#include "kernels/elementwise/broadcast.h"
#include "kernels/elementwise/packs.cuh"

namespace imago::kernels {

// The loops over the result, outermost first.
struct Loops {
  int count;
  BroadcastAxis axis[Shape::max_dim];
};
inline Loops loops_of(std::span<const BroadcastAxis> axes) {
  Loops loops{};
  loops.count = static_cast<int>(axes.size());
  std::copy(axes.begin(), axes.end(), loops.axis);
  return loops;
}

enum class Fetch { pack, one, each };

// How to fetch packs of `lanes` elements of an operand at `from`.
template <int lanes, class T>
Fetch fetch_of(std::span<const BroadcastAxis> axes, int operand, const T* from) {
  const bool aligned = pack_phase<lanes>(from) == 0;
  std::int64_t pitch = 1;
  bool dense = true;  // as large as the result
  for (std::size_t d = axes.size(); d-- > 0;) {
    dense &= axes[d].stride[operand] == pitch;
    pitch *= axes[d].extent;
  }
  if (dense) return aligned ? Fetch::pack : Fetch::each;
  const BroadcastAxis& inner = axes.back();
  if (inner.extent % lanes != 0) return Fetch::each;  // packs run over the ends of rows
  if (inner.stride[operand] == 0) return Fetch::one;
  bool rows_aligned = aligned;
  for (const BroadcastAxis& axis : axes.first(axes.size() - 1)) {
    rows_aligned &= axis.stride[operand] % lanes == 0;
  }
  return rows_aligned ? Fetch::pack : Fetch::each;
}

// Where element i of the result finds an operand.
__device__ inline std::int64_t place_of(const Loops& loops, int operand, std::int64_t i) {
  std::int64_t at = 0;
  for (int d = loops.count - 1; d > 0; --d) {
    const BroadcastAxis& axis = loops.axis[d];
    const std::int64_t rest = i / axis.extent;
    at += (i - rest * axis.extent) * axis.stride[operand];
    i = rest;
  }
  return at + i * loops.axis[0].stride[operand];
}

// What elements [first, first + lanes) of a result of `count` elements see of an operand. Lanes
// past the end see what the last element sees.
template <int lanes, class T>
__device__ Pack<T, lanes> fetch_pack(const Loops& loops, int operand, Fetch how, const T* from,
                                     std::int64_t first, std::int64_t count) {
  if (count - first < lanes) how = Fetch::each;
  if (how == Fetch::pack) return load_as<Pack<T, lanes>>(from + place_of(loops, operand, first));
  Pack<T, lanes> pack;
  if (how == Fetch::one) {
    const T value = from[place_of(loops, operand, first)];
    for (T& lane : pack.lane) lane = value;
    return pack;
  }
#pragma unroll  // so that lanes stay in registers
  for (int l = 0; l < lanes; ++l) {
    pack.lane[l] = from[place_of(loops, operand, min(first + l, count - 1))];
  }
  return pack;
}

// Stores what of the pack lies inside the result, which starts at a multiple of 16 bytes.
template <class T, int lanes>
__device__ void store_pack(T* out, const Pack<T, lanes>& pack, std::int64_t first,
                           std::int64_t count) {
  if (count - first >= lanes) {
    store_as(out + first, pack);
    return;
  }
#pragma unroll
  for (int l = 0; l < lanes; ++l) {
    if (first + l < count) out[first + l] = pack.lane[l];
  }
}

}  // namespace imago::kernels
