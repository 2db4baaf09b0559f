// Moves pixels of few channels, so that those of one phase of a stride lie side by side: vectors
// take five RGB pixels at once.
#if defined(IMAGO_KERNELS_POOL_CPU_PIXELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef IMAGO_KERNELS_POOL_CPU_PIXELS_INL_H_
#undef IMAGO_KERNELS_POOL_CPU_PIXELS_INL_H_
#else
#define IMAGO_KERNELS_POOL_CPU_PIXELS_INL_H_
#endif

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwy/highway.h"
#include "kernels/pool/cpu_rows.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The lanes of a vector chosen among those of two, as table.index says.
template <class D>
HWY_INLINE HWY_ATTR hn::Vec<D> choose_lanes(D d, hn::Vec<D> a, hn::Vec<D> b,
                                            const PoolTable& table) {
  const hn::RebindToSigned<D> di;
  const auto last = hn::Set(di, static_cast<std::int32_t>(hn::Lanes(d)) - 1);
  const auto index = hn::LoadU(di, table.index);
  const auto lanes = hn::IndicesFromVec(d, hn::And(index, last));
  return hn::IfThenElse(hn::RebindMask(d, hn::Gt(index, last)), hn::TableLookupLanes(b, lanes),
                        hn::TableLookupLanes(a, lanes));
}

// Lane (pixel, c) of `pixels` pixels comes from lane source(pixel) + c of two vectors in a row.
template <class F>
void fill_table(PoolTable& table, std::int64_t pixels, std::int64_t channels, F&& source) {
  std::int64_t lane = 0;
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t c = 0; c < channels; ++c) {
      table.index[lane++] = static_cast<std::int32_t>(source(pixel) + c);
    }
  }
  table.pixels = static_cast<int>(pixels);
}

// Writes `count` pixels, those `step` apart from `from` on, one behind the other. Elements
// [from, from + readable) may be read; up to a vector behind the pixels is overwritten.
template <class T>
HWY_ATTR void gather_pixels(const T* from, std::int64_t readable, std::int64_t step,
                            std::int64_t count, std::int64_t channels, PoolTable& table, T* to) {
  const std::int64_t stride = step * channels;
  std::int64_t i = 0;
  if constexpr (std::is_same_v<T, float>) {
    const hn::ScalableTag<float> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    if (table.pixels < 0) {
      const std::int64_t seen = 2 * n < channels ? 0 : (2 * n - channels) / stride + 1;
      fill_table(table, seen < n / channels ? seen : n / channels, channels,
                 [&](std::int64_t pixel) { return pixel * stride; });
    }
    if (table.pixels > 1) {
      for (; i < count && i * stride + 2 * n <= readable; i += table.pixels) {
        const float* x = from + i * stride;
        __builtin_prefetch(x + 512);
        __builtin_prefetch(x + 512 + n);
        const auto v = choose_lanes(d, hn::LoadU(d, x), hn::LoadU(d, x + n), table);
        hn::StoreU(v, d, to + i * channels);
      }
    }
  }
  for (; i < count; ++i) {
    for (std::int64_t c = 0; c < channels; ++c) to[i * channels + c] = from[i * stride + c];
  }
}

// The inverse: `count` pixels in turn from `phases` rows of `from`, `row` elements apart, each of
// which may be read up to a vector behind its pixels.
template <class T>
HWY_ATTR void spread_pixels(const T* from, std::int64_t row, std::int64_t phases,
                            std::int64_t count, std::int64_t channels, PoolTable& table, T* to) {
  std::int64_t i = 0;
  if constexpr (std::is_same_v<T, float>) {
    const hn::ScalableTag<float> d;
    const auto n = static_cast<std::int64_t>(hn::Lanes(d));
    if (phases == 2) {
      if (table.pixels < 0) {
        fill_table(table, n / channels / 2 * 2, channels,
                   [&](std::int64_t pixel) { return pixel % 2 * n + pixel / 2 * channels; });
      }
      for (; table.pixels > 0 && i < count; i += table.pixels) {
        const float* x = from + i / 2 * channels;
        const auto v = choose_lanes(d, hn::LoadU(d, x), hn::LoadU(d, x + row), table);
        const std::int64_t left = (count - i) * channels;
        if (left >= n) {
          hn::StoreU(v, d, to + i * channels);
        } else {  // what lies behind may be another thread's
          float pixels[16];
          hn::StoreU(v, d, pixels);
          const std::int64_t whole = table.pixels * channels;
          std::memcpy(to + i * channels, pixels,
                      sizeof(float) * static_cast<std::size_t>(left < whole ? left : whole));
        }
      }
    }
  }
  for (std::int64_t place = i / phases; i < count; ++place) {
    for (std::int64_t phase = 0; phase < phases && i < count; ++phase, ++i) {
      const T* pixel = from + phase * row + place * channels;
      for (std::int64_t c = 0; c < channels; ++c) to[i * channels + c] = pixel[c];
    }
  }
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
