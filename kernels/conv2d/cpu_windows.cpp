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

// The part [begin, begin + n) of the run of kernel row `row`, for all windows.
void gather_runs(const WindowShape& shape, const Window* windows, std::int64_t count,
                 std::int64_t row, std::int64_t begin, std::int64_t n, float* dst,
                 std::int64_t dst_row) {
  const std::int64_t image_row = shape.columns * shape.channels;
  const std::int64_t offset = row * image_row + begin;
  // Windows whose part lies between the left and the right edge.
  const std::int64_t first = -(begin / shape.channels);
  const std::int64_t room = image_row - begin - n;
  const std::int64_t last = room >= 0 ? room / shape.channels : first - 1;
  for (std::int64_t i = 0; i < count; ++i, dst += dst_row) {
    const Window& window = windows[i];
    const std::int64_t at_row = window.top + row;
    if (at_row < 0 || at_row >= shape.rows) {
      zero_floats(n, dst);
    } else if (window.left >= first && window.left <= last) {
      copy_floats(window.image + (window.offset + offset), n, dst);
    } else {
      const std::int64_t at = window.left * shape.channels + begin;
      const std::int64_t before = std::clamp<std::int64_t>(-at, 0, n);
      const std::int64_t inside = std::clamp<std::int64_t>(image_row - at, before, n);
      zero_floats(before, dst);
      copy_floats(window.image + (window.offset + offset + before), inside - before, dst + before);
      zero_floats(n - inside, dst + inside);
    }
  }
}

void gather(const WindowShape& shape, const Window* windows, std::int64_t count, std::int64_t k0,
            std::int64_t depth, float* dst, std::int64_t dst_row) {
  const std::int64_t run = shape.kernel_w * shape.channels;
  for (std::int64_t k = k0; k < k0 + depth;) {
    const std::int64_t row = k / run, begin = k - row * run;
    const std::int64_t n = std::min(run - begin, k0 + depth - k);
    gather_runs(shape, windows, count, row, begin, n, dst + (k - k0), dst_row);
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
