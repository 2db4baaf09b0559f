// Pooling on the CPU. Which source places meet in a place of the result is worked out once per
// axis; then every row of the result gathers its terms, whether it is one of windows or, in a
// gradient, one of pixels that ask their windows. Threads share the rows.
//
// Pixels of few channels fill no vector, but those of a row whose terms follow the same pattern do.
// Windows all look alike, and their pixels under one tap are a stride apart:
//
//   tap 0     0 . 2 . 4 .     are moved together: 0 2 4, and 1 3 5,
//   tap 1     . 1 . 3 . 5     which then are channels of one wide pixel
//
// In a gradient it is the pixels of the result, every stride-th of which asks windows that lie side
// by side; they are moved apart when the row is done. Windows that reach into the padding are few
// and stand alone.
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
  PoolHits hits;
  hits.begin.push_back(0);
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
  PoolHits hits;
  hits.begin.push_back(0);
  for (int pixel = 0; pixel < axis.in; ++pixel) {
    for (int window = axis.first_window(pixel); window < axis.end_window(pixel); ++window) {
      const int tap = axis.tap(window, pixel);
      if (tap >= 0) hits.list.push_back({window, tap, mean_over(axis, window, count_include_pad)});
    }
    end_place(hits);
  }
  return hits;
}

// Whether the hits of place b are those of a, moved on by hits.step.
bool alike(const PoolHits& hits, std::size_t a, std::size_t b) {
  const std::size_t count = hits.begin[a + 1] - hits.begin[a];
  if (hits.begin[b + 1] - hits.begin[b] != count) return false;
  for (std::size_t k = 0; k < count; ++k) {
    const PoolHit &first = hits.list[hits.begin[a] + k], &later = hits.list[hits.begin[b] + k];
    const bool moved = later.at == first.at + hits.step;
    if (!moved || later.tap != first.tap || later.pixels != first.pixels) return false;
  }
  return true;
}

// Joins places into runs as long as they are, or of one place each.
void find_runs(PoolHits& hits, bool join) {
  if (!join) hits.period = hits.step = 1;
  for (std::int64_t phase = 0; phase < hits.period; ++phase) {
    for (std::int64_t place = phase; place < hits.places(); place += hits.period) {
      const auto before = static_cast<std::size_t>(place - hits.period);
      if (join && place > phase && alike(hits, before, static_cast<std::size_t>(place))) {
        ++hits.runs.back().count;
      } else {
        hits.runs.push_back({place, 1});
      }
    }
  }
}

// Elements that the rows of a result move.
std::int64_t moved_room(const PoolHits& hits, std::int64_t terms, std::int64_t channels) {
  if (hits.period > 1) {
    return hits.period * row_room(ceil_div(hits.places(), hits.period), channels);
  }
  return hits.step > 1 ? terms * row_room(hits.places(), channels) : 0;
}

// `taps` belong to the source in max_grad and to the result in pick; max writes new_taps.
void run(PoolOp op, const Pooling& pooling, const Tensor& source, Tensor& out, const Tensor* taps,
         Tensor* new_taps) {
  const bool backward = op == PoolOp::max_grad || op == PoolOp::avg_grad;
  const bool include = pooling.count_include_pad;
  const PoolHits rows = backward ? pixels_of(pooling.rows, include) : windows_of(pooling.rows);
  PoolHits columns = backward ? pixels_of(pooling.columns, include) : windows_of(pooling.columns);
  const int stride = pooling.columns.stride.value;
  (backward ? columns.period : columns.step) = stride;
  find_runs(columns, stride == 1 || (pooling.C < 16 && stride < columns.places()));
  const auto most = static_cast<std::int64_t>(rows.most * columns.most);
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
      PoolScratch<T> scratch;
      scratch.terms.resize(static_cast<std::size_t>(std::max<std::int64_t>(1, most)));
      scratch.pixels.resize(static_cast<std::size_t>(moved_room(columns, most, pooling.C)));
      PoolRow<T> row{};
      row.columns = &columns;
      row.source_width = source.size(2);
      row.source_size = image_in;
      row.channels = pooling.C;
      row.kernel_w = pooling.columns.kernel;
      row.window = include ? pooling.taps() : 0;
      row.wide = tap_size > 1;
      row.scratch = &scratch;
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
