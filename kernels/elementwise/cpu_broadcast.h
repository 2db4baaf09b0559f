// How the CPU finds the elements of a broadcast operand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/elementwise/broadcast.h"

namespace imago::kernels {

// Elements of a result that are worked out at a time where an operand has to be laid out first:
// few enough to stay in the L1 cache, enough to be worth a call.
inline constexpr std::int64_t stretch_size = 1024;

// The number of steps of these loops.
inline std::int64_t steps_of(std::span<const BroadcastAxis> loops) {
  std::int64_t steps = 1;
  for (const BroadcastAxis& loop : loops) steps *= loop.extent;
  return steps;
}

// Whether an operand has an element of its own for each of the result, in the same order.
inline bool is_dense(std::span<const BroadcastAxis> axes, int operand) {
  std::int64_t pitch = 1;
  for (std::size_t d = axes.size(); d-- > 0;) {
    if (axes[d].stride[operand] != pitch) return false;
    pitch *= axes[d].extent;
  }
  return true;
}

// Copies what elements [begin, begin + n) of the result see of an operand at `from` to `out`.
template <class T>
void lay_out(std::span<const BroadcastAxis> axes, int operand, const T* from, std::int64_t begin,
             std::int64_t n, T* out) {
  const BroadcastAxis& inner = axes.back();
  const std::int64_t inner_stride = inner.stride[operand];
  const int outer = static_cast<int>(axes.size()) - 1;
  // Where the row of element `begin` starts, and its place in each outer loop.
  std::int64_t column = begin % inner.extent, rest = begin / inner.extent;
  std::int64_t place[Shape::max_dim];
  for (int d = outer - 1; d >= 0; --d) {
    const BroadcastAxis& axis = axes[static_cast<std::size_t>(d)];
    place[d] = rest % axis.extent;
    rest /= axis.extent;
    from += place[d] * axis.stride[operand];
  }
  while (true) {
    const std::int64_t count = std::min(n, inner.extent - column);
    const T* row = from + column * inner_stride;
    if (inner_stride == 0) {
      const T value = *row;
      for (std::int64_t i = 0; i < count; ++i) out[i] = value;
    } else {
      for (std::int64_t i = 0; i < count; ++i) out[i] = row[i];
    }
    n -= count;
    if (n == 0) return;
    out += count;
    column = 0;
    for (int d = outer - 1; d >= 0; --d) {
      const BroadcastAxis& axis = axes[static_cast<std::size_t>(d)];
      from += axis.stride[operand];
      if (++place[d] < axis.extent) break;
      from -= axis.extent * axis.stride[operand];
      place[d] = 0;
    }
  }
}

// One operand as a row of elements, one for each of the result.
template <class T>
class LaidOut {
 public:
  LaidOut(std::span<const BroadcastAxis> axes, int operand, const T* from)
      : axes_(axes), operand_(operand), from_(from), dense_(is_dense(axes, operand)) {
    const bool number = std::all_of(axes.begin(), axes.end(), [operand](const BroadcastAxis& axis) {
      return axis.stride[operand] == 0;
    });
    if (number) number_.assign(stretch_size, *from);
  }

  // What elements [begin, begin + n) of the result see, n <= stretch_size; in `room` (for
  // stretch_size elements) if it has to be laid out.
  const T* stretch(std::int64_t begin, std::int64_t n, T* room) const {
    if (dense_) return from_ + begin;
    if (!number_.empty()) return number_.data();
    lay_out(axes_, operand_, from_, begin, n, room);
    return room;
  }

 private:
  std::span<const BroadcastAxis> axes_;
  int operand_;
  const T* from_;
  bool dense_;
  std::vector<T> number_;  // a stretch of the only element there is
};

}  // namespace imago::kernels
