// The loops of a permutation as a kernel takes them.
#pragma once

#include <array>

#include "kernels/divisor.h"
#include "kernels/launch.h"
#include "kernels/permute/plan.h"

namespace imago::kernels {

// Where something starts, in words of x and of the result.
struct FromTo {
  std::int64_t from, to;
};

struct LoopNest {
  int count = 0;
  std::array<Divisor, Shape::max_dim> extent{};
  std::array<FromTo, Shape::max_dim> step{};

  void add(const PermuteLoop& loop) {
    extent[static_cast<std::size_t>(count)] = Divisor(loop.extent);
    step[static_cast<std::size_t>(count)] = {loop.from, loop.to};
    ++count;
  }

  // Of turn number `index` >= 0, the last loop running fastest.
  __device__ FromTo at(int index) const {
    FromTo sum{0, 0};
    for (int i = count; i-- > 0;) {
      const Divisor& by = extent[static_cast<std::size_t>(i)];
      const int rest = by.divide(index);
      const std::int64_t turn = index - rest * by.value;
      sum.from += turn * step[static_cast<std::size_t>(i)].from;
      sum.to += turn * step[static_cast<std::size_t>(i)].to;
      index = rest;
    }
    return sum;
  }
};

}  // namespace imago::kernels
