#include "kernels/conv2d/cpu_windows.h"

#include <algorithm>

#include "kernels/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/cpu_windows.cpp"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/gemm/cpu_copy-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels {
namespace HWY_NAMESPACE {
namespace {

void gather(const WindowShape& shape, const Window* windows, std::int64_t count, std::int64_t k0,
            std::int64_t depth, float* dst, std::int64_t dst_row) {
  const std::int64_t run = shape.kernel_w * shape.channels;
  const std::int64_t image_row = shape.columns * shape.channels;
  for (std::int64_t k = k0; k < k0 + depth;) {
    // The part [begin, begin + n) of the run of one kernel row.
    const std::int64_t row = k / run, begin = k - row * run;
    const std::int64_t n = std::min(run - begin, k0 + depth - k);
    for (std::int64_t i = 0; i < count; ++i) {
      const Window& window = windows[i];
      const std::int64_t at_row = window.top + row;
      float* to = dst + i * dst_row + (k - k0);
      if (at_row < 0 || at_row >= shape.rows) {
        zero_floats(n, to);
        continue;
      }
      const float* from = window.image + at_row * image_row;
      const std::int64_t at = window.left * shape.channels + begin;
      if (at >= 0 && at + n <= image_row) {
        copy_floats(from + at, n, to);
        continue;
      }
      const std::int64_t before = std::clamp<std::int64_t>(-at, 0, n);
      const std::int64_t inside = std::clamp<std::int64_t>(image_row - at, before, n);
      zero_floats(before, to);
      copy_floats(from + at + before, inside - before, to + before);
      zero_floats(n - inside, to + inside);
    }
    k += n;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace imago::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(gather);

void gather_windows(const WindowShape& shape, const Window* windows, std::int64_t count,
                    std::int64_t k0, std::int64_t depth, float* dst, std::int64_t dst_row) {
  HWY_DYNAMIC_DISPATCH(gather)(shape, windows, count, k0, depth, dst, dst_row);
}

}  // namespace imago::kernels
#endif
