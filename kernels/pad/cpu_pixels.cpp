// Copies of pixels on the CPU. A row of the result is made of runs: neighbouring pixels that were
// neighbours before are one memcpy, pixels of the constant one fill, and where every pixel stands
// alone (mirrored, or repeated by resampling) a loop copies them one by one with a size that the
// compiler knows for the usual ones.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/pad/pixels.h"
#include "kernels/parallel.h"

namespace imago::kernels {
namespace {

// `count` pixels of the result from `to` on, which show `from`, `from` + 1, ...; -1: the constant.
struct Run {
  std::int64_t to, from, count;
};

std::vector<Run> runs_of(const AxisMap& map) {
  std::vector<Run> runs;
  for (int i = 0; i < map.out; ++i) {
    const int from = map.source(i);
    if (!runs.empty()) {
      Run& last = runs.back();
      const bool goes_on =
          from < 0 ? last.from < 0 : last.from >= 0 && from == last.from + last.count;
      if (goes_on) {
        ++last.count;
        continue;
      }
    }
    runs.push_back({i, from, 1});
  }
  return runs;
}

// Pixel i of `out` is pixel from[i] of `x`; `bytes` is a constant in the calls that matter.
inline void copy_each(const std::vector<std::int64_t>& from, const std::byte* x, std::byte* out,
                      std::size_t bytes) {
  for (const std::int64_t source : from) {
    std::memcpy(out, x + static_cast<std::size_t>(source) * bytes, bytes);
    out += bytes;
  }
}

void copy_each_of(const std::vector<std::int64_t>& from, const std::byte* x, std::byte* out,
                  std::size_t bytes) {
  switch (bytes) {
    case 1:
      return copy_each(from, x, out, 1);
    case 2:
      return copy_each(from, x, out, 2);
    case 3:
      return copy_each(from, x, out, 3);
    case 4:
      return copy_each(from, x, out, 4);
    case 6:
      return copy_each(from, x, out, 6);
    case 8:
      return copy_each(from, x, out, 8);
    case 12:
      return copy_each(from, x, out, 12);
    case 16:
      return copy_each(from, x, out, 16);
    case 32:
      return copy_each(from, x, out, 32);
    case 64:
      return copy_each(from, x, out, 64);
    default:
      return copy_each(from, x, out, bytes);
  }
}

// Only padding shows nothing, and then at an end.
bool has_blanks(const AxisMap& map) {
  return map.source(0) < 0 || map.source(map.out - 1) < 0;
}

// Everything about the columns, for every row alike.
struct Columns {
  std::vector<Run> runs;
  std::vector<std::int64_t> from;  // where pixels go one by one
  std::size_t pixel_bytes;
  std::vector<std::byte> blank;  // a whole row of the constant; empty where there is none

  explicit Columns(const PixelMap& map)
      : runs(runs_of(map.columns)), pixel_bytes(static_cast<std::size_t>(map.pixel_bytes)) {
    const bool alone = runs.size() * 4 > static_cast<std::size_t>(map.columns.out);
    if (alone && !has_blanks(map.columns)) {
      for (int i = 0; i < map.columns.out; ++i) from.push_back(map.columns.source(i));
    }
    if (!has_blanks(map.rows) && !has_blanks(map.columns)) return;
    const auto element = static_cast<std::size_t>(map.element_bytes);
    blank.resize(static_cast<std::size_t>(map.columns.out) * pixel_bytes);
    for (std::size_t i = 0; i < blank.size(); i += element) {
      std::memcpy(blank.data() + i, map.fill, element);
    }
  }

  void copy_row(const std::byte* x, std::byte* out) const {
    if (!from.empty()) return copy_each_of(from, x, out, pixel_bytes);
    for (const Run& run : runs) {
      const std::byte* source =
          run.from < 0 ? blank.data() : x + static_cast<std::size_t>(run.from) * pixel_bytes;
      std::memcpy(out + static_cast<std::size_t>(run.to) * pixel_bytes, source,
                  static_cast<std::size_t>(run.count) * pixel_bytes);
    }
  }
};

}  // namespace

void copy_pixels_cpu(const PixelMap& map, const std::byte* x, std::byte* out) {
  const Columns columns(map);
  const std::size_t row_in = static_cast<std::size_t>(map.columns.in) * columns.pixel_bytes;
  const std::size_t row_out = static_cast<std::size_t>(map.columns.out) * columns.pixel_bytes;
  const auto grain = std::max<std::int64_t>(1, 131072 / static_cast<std::int64_t>(row_out));
  parallel_ranges(map.batch * map.rows.out, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::byte* before = nullptr;  // the source of the row before, in this range
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t image = row / map.rows.out;
      const int from = map.rows.source(static_cast<int>(row - image * map.rows.out));
      std::byte* target = out + static_cast<std::size_t>(row) * row_out;
      if (from < 0) {
        std::memcpy(target, columns.blank.data(), row_out);
        before = nullptr;
        continue;
      }
      const std::byte* source = x + static_cast<std::size_t>(image * map.rows.in + from) * row_in;
      if (source == before) {
        std::memcpy(target, target - row_out, row_out);  // still in the cache
      } else {
        columns.copy_row(source, target);
      }
      before = source;
    }
  });
}

// Most pixels show up once, in runs; those near the border are added up one by one.
void pad_reflect_grad_cpu(const Padding& pad, const Tensor& dy, Tensor& out) {
  const std::int64_t batch = out.size(0), channels = out.size(3);
  const auto height = static_cast<int>(out.size(1)), width = static_cast<int>(out.size(2));
  const std::int64_t wide = dy.size(2), high = dy.size(1);
  // Columns [inner, inner_end) show up once.
  const int inner = std::min(pad.left + 1, width);
  const int inner_end = std::max(inner, width - 1 - pad.right);
  dispatch<float, double, bf16>(dy.dtype(), "pad_reflect_grad", [&]<class T> {
    using A = acc_t<T>;
    const T* from = dy.data<T>();
    T* to = out.mutable_data<T>();
    const std::int64_t grain = std::max<std::int64_t>(1, default_grain / (width * channels));
    parallel_ranges(batch * height, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t image = row / height;
        const auto h = static_cast<int>(row - image * height);
        const Folds rows(h, height, pad.top, pad.bottom);
        T* target = to + row * width * channels;
        const auto source = [&](int r) {
          return from + (image * high + rows.at[r]) * wide * channels;
        };
        const auto add_pixels = [&](int w_begin, int w_end) {
          for (int w = w_begin; w < w_end; ++w) {
            const Folds columns(w, width, pad.left, pad.right);
            for (std::int64_t c = 0; c < channels; ++c) {
              A sum = A(-0.0);  // which leaves the first term as it is
              for (int r = 0; r < rows.count; ++r) {
                for (int k = 0; k < columns.count; ++k) {
                  sum += static_cast<A>(source(r)[columns.at[k] * channels + c]);
                }
              }
              target[w * channels + c] = static_cast<T>(sum);
            }
          }
        };
        if (rows.count > 1) {
          add_pixels(0, width);
          continue;
        }
        add_pixels(0, inner);
        std::copy(source(0) + (pad.left + inner) * channels,
                  source(0) + (pad.left + inner_end) * channels, target + inner * channels);
        add_pixels(inner_end, width);
      }
    });
  });
}

}  // namespace imago::kernels
