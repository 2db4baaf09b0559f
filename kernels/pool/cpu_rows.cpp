#include "kernels/pool/cpu_rows.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// Channels taken at once; what is summed stays in registers or the L1 cache.
constexpr int pool_lanes = 64;

// Each of these works on `n` channels, or on `fixed` ones if that is not 0, so that the compiler can
// unroll the loops over three channels.
template <class T, class I, int fixed>
HWY_ATTR void max_channels(const PoolTerm<T>* terms, std::size_t count, std::int64_t first, int n,
                           T* out, I* taps) {
  using A = acc_t<T>;
  const int m = fixed ? fixed : n;
  alignas(64) A best[fixed ? fixed : pool_lanes];
  alignas(64) int which[fixed ? fixed : pool_lanes];
  const T* x = terms[0].source + first;
  for (int l = 0; l < m; ++l) best[l] = static_cast<A>(x[l]), which[l] = terms[0].tap;
  for (std::size_t k = 1; k < count; ++k) {
    x = terms[k].source + first;
    const int tap = terms[k].tap;
    for (int l = 0; l < m; ++l) {
      const A value = static_cast<A>(x[l]);
      const bool take = !(value <= best[l]) & (best[l] == best[l]);  // NaN wins, the first one
      best[l] = take ? value : best[l];
      which[l] = take ? tap : which[l];
    }
  }
  for (int l = 0; l < m; ++l) out[l] = static_cast<T>(best[l]);
  if (!taps) return;
  for (int l = 0; l < m; ++l) taps[l] = static_cast<I>(which[l]);
}

template <class T, class I, int fixed>
HWY_ATTR void pick_channels(const PoolTerm<T>* terms, std::size_t count, std::int64_t first, int n,
                            T* out, const I* taps) {
  const int m = fixed ? fixed : n;
  for (int l = 0; l < m; ++l) out[l] = terms[0].source[first + l];
  for (std::size_t k = 1; k < count; ++k) {
    const T* x = terms[k].source + first;
    const auto tap = static_cast<I>(terms[k].tap);
    for (int l = 0; l < m; ++l) out[l] = taps[l] == tap ? x[l] : out[l];
  }
}

// `base` is the image that the terms are in, `taps` those of that image.
template <class T, class I, int fixed>
HWY_ATTR void max_grad_channels(const PoolTerm<T>* terms, std::size_t count, std::int64_t first,
                                int n, T* out, const T* base, const I* taps) {
  using A = acc_t<T>;
  const int m = fixed ? fixed : n;
  alignas(64) A sums[fixed ? fixed : pool_lanes];
  for (int l = 0; l < m; ++l) sums[l] = A(0);
  for (std::size_t k = 0; k < count; ++k) {
    const T* dy = terms[k].source + first;
    const I* chosen = taps + (dy - base);
    const auto tap = static_cast<I>(terms[k].tap);
    for (int l = 0; l < m; ++l) sums[l] += chosen[l] == tap ? static_cast<A>(dy[l]) : A(0);
  }
  for (int l = 0; l < m; ++l) out[l] = static_cast<T>(sums[l]);
}

// `shares`: each term is multiplied by its own; if not, the sum by that of the first.
template <bool shares, class T, int fixed>
HWY_ATTR void avg_channels(const PoolTerm<T>* terms, std::size_t count, std::int64_t first, int n,
                           T* out) {
  using A = acc_t<T>;
  const int m = fixed ? fixed : n;
  alignas(64) A sums[fixed ? fixed : pool_lanes];
  for (int l = 0; l < m; ++l) sums[l] = A(0);
  for (std::size_t k = 0; k < count; ++k) {
    const T* x = terms[k].source + first;
    const A share = terms[k].share;
    for (int l = 0; l < m; ++l) {
      sums[l] += shares ? static_cast<A>(x[l]) * share : static_cast<A>(x[l]);
    }
  }
  if (!shares) {
    const A share = terms[0].share;
    for (int l = 0; l < m; ++l) sums[l] *= share;
  }
  for (int l = 0; l < m; ++l) out[l] = static_cast<T>(sums[l]);
}

template <class T, class I, int fixed>
HWY_ATTR void pool_channels(PoolOp op, const PoolRow<T>& row, std::size_t count, std::int64_t first,
                            int n, std::int64_t at) {
  T* out = row.out + at;
  const I* taps = static_cast<const I*>(row.taps);
  switch (op) {
    case PoolOp::max: {
      I* chosen = static_cast<I*>(row.new_taps);
      return max_channels<T, I, fixed>(row.terms, count, first, n, out,
                                       chosen ? chosen + at : nullptr);
    }
    case PoolOp::max_grad:
      return max_grad_channels<T, I, fixed>(row.terms, count, first, n, out, row.source, taps);
    case PoolOp::pick:
      return pick_channels<T, I, fixed>(row.terms, count, first, n, out, taps + at);
    case PoolOp::avg:
      return avg_channels<false, T, fixed>(row.terms, count, first, n, out);
    case PoolOp::avg_grad:
      return avg_channels<true, T, fixed>(row.terms, count, first, n, out);
  }
}

template <class T, class I, int fixed>
HWY_ATTR void pool_pixels(PoolOp op, const PoolRow<T>& row) {
  using A = acc_t<T>;
  const PoolHits& columns = *row.columns;
  const std::int64_t channels = row.channels;
  const std::size_t width = columns.begin.size() - 1;
  for (std::size_t j = 0; j < width; ++j) {
    const PoolHit* hits = columns.list.data() + columns.begin[j];
    const std::size_t hit_count = columns.begin[j + 1] - columns.begin[j];
    std::size_t count = 0;
    for (std::size_t r = 0; r < row.row_count; ++r) {
      const PoolHit& line = row.rows[r];
      for (std::size_t k = 0; k < hit_count; ++k) {
        PoolTerm<T>& term = row.terms[count++];
        term.source = row.source + (line.at * row.source_width + hits[k].at) * channels;
        term.tap = line.tap * row.kernel_w + hits[k].tap;
        if (op == PoolOp::avg_grad) {
          term.share = A(1) / static_cast<A>(line.pixels * hits[k].pixels);
        }
      }
    }
    if (op == PoolOp::avg) {
      const int pixels = row.window ? row.window : static_cast<int>(count);
      row.terms[0].share = A(1) / static_cast<A>(pixels);
    }
    const std::int64_t at = static_cast<std::int64_t>(j) * channels;
    if (fixed) {
      pool_channels<T, I, fixed>(op, row, count, 0, fixed, at);
      continue;
    }
    for (std::int64_t first = 0; first < channels; first += pool_lanes) {
      const std::int64_t left = channels - first;
      const int n = static_cast<int>(left < pool_lanes ? left : pool_lanes);
      pool_channels<T, I, fixed>(op, row, count, first, n, at + first);
    }
  }
}

template <class T, class I>
HWY_ATTR void pool_any_channels(PoolOp op, const PoolRow<T>& row) {
  if (row.channels == 1) return pool_pixels<T, I, 1>(op, row);
  if (row.channels == 3) return pool_pixels<T, I, 3>(op, row);
  pool_pixels<T, I, 0>(op, row);
}

template <class T>
HWY_ATTR void pool_any(PoolOp op, const PoolRow<T>& row) {
  if (row.wide) return pool_any_channels<T, std::int32_t>(op, row);
  pool_any_channels<T, std::uint8_t>(op, row);
}

HWY_ATTR void pool_f32(PoolOp op, const PoolRow<float>& row) {
  pool_any<float>(op, row);
}
HWY_ATTR void pool_bf16(PoolOp op, const PoolRow<bf16>& row) {
  pool_any<bf16>(op, row);
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(pool_f32);
HWY_EXPORT(pool_bf16);

void pool_row(PoolOp op, const PoolRow<float>& row) {
  HWY_DYNAMIC_DISPATCH(pool_f32)(op, row);
}
void pool_row(PoolOp op, const PoolRow<bf16>& row) {
  HWY_DYNAMIC_DISPATCH(pool_bf16)(op, row);
}
void pool_row(PoolOp op, const PoolRow<double>& row) {
  HWY_STATIC_DISPATCH(pool_any<double>)(op, row);
}

}  // namespace imago::kernels
#endif
