// Pooling on the CPU. Which source places meet in a place of the result is worked out once per
// axis; then every row of the result gathers its terms, whether it is one of windows or, in a
// gradient, one of pixels that ask their windows. Threads share the rows.
#include <algorithm>

#include "kernels/parallel.h"
#include "kernels/pool/cpu_rows.h"
#include "kernels/pool/engines.h"

namespace imago::kernels {
namespace {

int mean_over(const PoolAxis& axis, int window, bool count_include_pad) {
  return count_include_pad ? axis.kernel : axis.end_tap(window) - axis.first_tap(window);
}

void end_place(PoolHits& hits) {
  hits.most = std::max(hits.most, hits.list.size() - hits.begin.back());
  hits.begin.push_back(hits.list.size());
}

// What the windows see.
PoolHits windows_of(const PoolAxis& axis) {
  PoolHits hits{{0}, {}};
  for (int window = 0; window < axis.out; ++window) {
    for (int tap = axis.first_tap(window); tap < axis.end_tap(window); ++tap) {
      hits.list.push_back({axis.pixel(window, tap), tap, 0});
    }
    end_place(hits);
  }
  return hits;
}

// The windows that see each pixel.
PoolHits pixels_of(const PoolAxis& axis, bool count_include_pad) {
  PoolHits hits{{0}, {}};
  for (int pixel = 0; pixel < axis.in; ++pixel) {
    for (int window = axis.first_window(pixel); window < axis.end_window(pixel); ++window) {
      const int tap = axis.tap(window, pixel);
      if (tap >= 0) hits.list.push_back({window, tap, mean_over(axis, window, count_include_pad)});
    }
    end_place(hits);
  }
  return hits;
}

// `taps` belong to the source in max_grad and to the result in pick; max writes new_taps.
void run(PoolOp op, const Pooling& pooling, const Tensor& source, Tensor& out, const Tensor* taps,
         Tensor* new_taps) {
  const bool backward = op == PoolOp::max_grad || op == PoolOp::avg_grad;
  const bool include = pooling.count_include_pad;
  const PoolHits rows = backward ? pixels_of(pooling.rows, include) : windows_of(pooling.rows);
  const PoolHits columns =
      backward ? pixels_of(pooling.columns, include) : windows_of(pooling.columns);
  const std::int64_t height = out.size(1), row_out = out.size(2) * pooling.C;
  const std::int64_t image_in = source.size(1) * source.size(2) * pooling.C;
  const std::byte* tap_bytes = taps && taps->defined() ? taps->bytes() : nullptr;
  std::byte* new_tap_bytes = new_taps && new_taps->defined() ? new_taps->mutable_bytes() : nullptr;
  const Tensor* any_taps = tap_bytes ? taps : new_tap_bytes ? new_taps : nullptr;
  const std::size_t tap_size = any_taps ? size_of(any_taps->dtype()) : 1;
  dispatch<float, double, bf16>(source.dtype(), "pool", [&]<class T> {
    const T* from = source.data<T>();
    T* to = out.mutable_data<T>();
    const std::int64_t grain = std::max<std::int64_t>(1, default_grain / row_out);
    parallel_ranges(pooling.N * height, grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<PoolTerm<T>> terms(std::max<std::size_t>(1, rows.most * columns.most));
      PoolRow<T> row{};
      row.columns = &columns;
      row.source_width = source.size(2);
      row.channels = pooling.C;
      row.kernel_w = pooling.columns.kernel;
      row.window = include ? pooling.taps() : 0;
      row.wide = tap_size > 1;
      row.terms = terms.data();
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / height;
        const auto h = static_cast<std::size_t>(i - image * height);
        row.source = from + image * image_in;
        row.rows = rows.list.data() + rows.begin[h];
        row.row_count = rows.begin[h + 1] - rows.begin[h];
        row.out = to + i * row_out;
        const std::int64_t first_tap = op == PoolOp::max_grad ? image * image_in : i * row_out;
        const std::size_t tap_offset = static_cast<std::size_t>(first_tap) * tap_size;
        if (tap_bytes) row.taps = tap_bytes + tap_offset;
        if (new_tap_bytes) row.new_taps = new_tap_bytes + tap_offset;
        pool_row(op, row);
      }
    });
  });
}

}  // namespace

void max_pool2d_cpu(const Pooling& pooling, const Tensor& x, Tensor& y, Tensor& taps) {
  run(PoolOp::max, pooling, x, y, nullptr, &taps);
}

void max_pool2d_grad_cpu(const Pooling& pooling, const Tensor& dy, const Tensor& taps, Tensor& dx) {
  run(PoolOp::max_grad, pooling, dy, dx, &taps, nullptr);
}

void max_pool2d_pick_cpu(const Pooling& pooling, const Tensor& x, const Tensor& taps, Tensor& y) {
  run(PoolOp::pick, pooling, x, y, &taps, nullptr);
}

void avg_pool2d_cpu(const Pooling& pooling, const Tensor& x, Tensor& y) {
  run(PoolOp::avg, pooling, x, y, nullptr, nullptr);
}

void avg_pool2d_grad_cpu(const Pooling& pooling, const Tensor& dy, Tensor& dx) {
  run(PoolOp::avg_grad, pooling, dy, dx, nullptr, nullptr);
}

}  // namespace imago::kernels
