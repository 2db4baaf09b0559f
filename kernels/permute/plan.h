// A permutation reduced to the loops that it needs, for every engine but the reference.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace imago::kernels {

// A loop over `extent` units that lie `from` units apart in x and `to` units apart in the result.
struct PermuteLoop {
  std::int64_t extent, from, to;
};

// Axes of extent 1 are left out, axes that are neighbours in the same order on both sides are one,
// and what stays innermost on both sides is one unit that is moved whole: an NHWC image whose H and
// W change places has units of C elements. What is left is either nothing (a copy) or at least two
// loops, of which `columns` walks along x and the last one along the result.
struct PermutePlan {
  std::int64_t unit = 1;           // elements
  std::vector<PermuteLoop> loops;  // outermost of the result first
  int columns = -1;                // the loop with from == 1; never the last

  bool is_copy() const { return loops.empty(); }
  std::int64_t unit_bytes(DType dtype) const {
    return unit * static_cast<std::int64_t>(size_of(dtype));
  }
};

// `order` is valid, of axes >= 0; x has elements.
PermutePlan plan_permute(const Shape& x, std::span<const int> order);

}  // namespace imago::kernels
