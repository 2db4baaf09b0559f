// Whether an index may be followed.
#pragma once

#include "kernels/launch.h"

namespace imago::kernels {

// first <= index < first + count, for first, count >= 0 and any index: as an unsigned number what
// lies before first is larger than any count.
__device__ inline bool inside(std::int64_t index, std::int64_t first, std::int64_t count) {
  const std::uint64_t past = static_cast<std::uint64_t>(index) - static_cast<std::uint64_t>(first);
  return past < static_cast<std::uint64_t>(count);
}

}  // namespace imago::kernels
