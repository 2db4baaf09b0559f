#include "kernels/pool/cpu_rows.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/simd_elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Taps as integers as wide as the lanes of D; of f64, one lane at a time.
template <class D, class I>
HWY_INLINE HWY_ATTR hn::Mask<D> taps_are(D d, int tap, const I* taps) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return hn::FirstN(d, *taps == static_cast<I>(tap) ? 1 : 0);
  } else {
    const hn::RebindToSigned<D> di;
    const hn::Rebind<I, D> narrow;
    const auto own = hn::LoadU(narrow, taps);
    if constexpr (sizeof(I) == 4) return hn::RebindMask(d, hn::Eq(own, hn::Set(di, tap)));
    if constexpr (sizeof(I) == 1) {
      return hn::RebindMask(d, hn::Eq(hn::PromoteTo(di, own), hn::Set(di, tap)));
    }
  }
}
template <class D, class I>
HWY_INLINE HWY_ATTR void store_taps(D, hn::Vec<hn::RebindToSigned<D>> taps, I* to) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    *to = static_cast<I>(hn::GetLane(taps));
  } else {
    const hn::Rebind<I, D> narrow;
    if constexpr (sizeof(I) == 4) hn::StoreU(taps, narrow, to);
    if constexpr (sizeof(I) == 1) hn::StoreU(hn::DemoteTo(narrow, taps), narrow, to);
  }
}

// Each of these takes `vectors` vectors of channels, from channel `first` of each term on; what is
// summed or compared stays in registers.
template <int vectors, class D, class T, class I>
HWY_ATTR void max_channels(D d, const PoolTerm<T>* terms, std::size_t count, std::int64_t first,
                           T* out, I* taps) {
  const hn::RebindToSigned<D> di;
  using Tap = hn::TFromD<hn::RebindToSigned<D>>;
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> best[vectors];
  hn::Vec<hn::RebindToSigned<D>> which[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    best[v] = load(d, terms[0].source + first + v * n);
    which[v] = hn::Set(di, static_cast<Tap>(terms[0].tap));
  }
  for (std::size_t k = 1; k < count; ++k) {
    const T* x = terms[k].source + first;
    const auto tap = hn::Set(di, static_cast<Tap>(terms[k].tap));
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto value = load(d, x + v * n);
      // NaN wins, the first one.
      const auto take = hn::AndNot(hn::Le(value, best[v]), hn::Eq(best[v], best[v]));
      best[v] = hn::IfThenElse(take, value, best[v]);
      which[v] = hn::IfThenElse(hn::RebindMask(di, take), tap, which[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    store(d, best[v], out + v * n);
    if (taps) store_taps(d, which[v], taps + v * n);
  }
}

template <int vectors, class D, class T, class I>
HWY_ATTR void pick_channels(D d, const PoolTerm<T>* terms, std::size_t count, std::int64_t first,
                            T* out, const I* taps) {
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> picked[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) picked[v] = load(d, terms[0].source + first + v * n);
  for (std::size_t k = 1; k < count; ++k) {
    const T* x = terms[k].source + first;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto chosen = taps_are(d, terms[k].tap, taps + v * n);
      picked[v] = hn::IfThenElse(chosen, load(d, x + v * n), picked[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) store(d, picked[v], out + v * n);
}

// `base` is the image that the terms are in, `taps` those of that image.
template <int vectors, class D, class T, class I>
HWY_ATTR void max_grad_channels(D d, const PoolTerm<T>* terms, std::size_t count,
                                std::int64_t first, T* out, const T* base, const I* taps) {
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sums[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) sums[v] = hn::Zero(d);
  for (std::size_t k = 0; k < count; ++k) {
    const T* dy = terms[k].source + first;
    const I* own = taps + (dy - base);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto chosen = taps_are(d, terms[k].tap, own + v * n);
      sums[v] = hn::Add(sums[v], hn::IfThenElseZero(chosen, load(d, dy + v * n)));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) store(d, sums[v], out + v * n);
}

// `shares`: each term is multiplied by its own; if not, the sum by that of the first.
template <bool shares, int vectors, class D, class T>
HWY_ATTR void avg_channels(D d, const PoolTerm<T>* terms, std::size_t count, std::int64_t first,
                           T* out) {
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<D> sums[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) sums[v] = hn::Zero(d);
  for (std::size_t k = 0; k < count; ++k) {
    const T* x = terms[k].source + first;
    const auto share = hn::Set(d, terms[k].share);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto value = load(d, x + v * n);
      sums[v] = hn::Add(sums[v], shares ? hn::Mul(value, share) : value);
    }
  }
  const auto share = hn::Set(d, shares || count == 0 ? hn::TFromD<D>(1) : terms[0].share);
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    store(d, shares ? sums[v] : hn::Mul(sums[v], share), out + v * n);
  }
}

template <int vectors, class D, class T, class I>
HWY_ATTR void pool_vectors(D d, PoolOp op, const PoolRow<T>& row, std::size_t count,
                           std::int64_t first, std::int64_t at) {
  T* out = row.out + at;
  const I* taps = static_cast<const I*>(row.taps);
  switch (op) {
    case PoolOp::max: {
      I* chosen = static_cast<I*>(row.new_taps);
      return max_channels<vectors, D, T, I>(d, row.terms, count, first, out,
                                            chosen ? chosen + at : nullptr);
    }
    case PoolOp::max_grad:
      return max_grad_channels<vectors, D, T, I>(d, row.terms, count, first, out, row.source, taps);
    case PoolOp::pick:
      return pick_channels<vectors, D, T, I>(d, row.terms, count, first, out, taps + at);
    case PoolOp::avg:
      return avg_channels<false, vectors, D, T>(d, row.terms, count, first, out);
    case PoolOp::avg_grad:
      return avg_channels<true, vectors, D, T>(d, row.terms, count, first, out);
  }
}

// All channels of the pixel at `at` of the result: in blocks of vectors, vectors, and what is left.
template <class T, class I>
HWY_ATTR void pool_channels(PoolOp op, const PoolRow<T>& row, std::size_t count, std::int64_t at) {
  using A = acc_t<T>;
  const std::int64_t channels = row.channels;
  std::int64_t c = 0;
  if constexpr (sizeof(A) == 4) {
    const hn::ScalableTag<A> whole;
    const auto n = static_cast<std::int64_t>(hn::Lanes(whole));
    for (; c + 4 * n <= channels; c += 4 * n) {
      pool_vectors<4, decltype(whole), T, I>(whole, op, row, count, c, at + c);
    }
    for (; c + n <= channels; c += n) {
      pool_vectors<1, decltype(whole), T, I>(whole, op, row, count, c, at + c);
    }
    const hn::CappedTag<A, 4> four;
    for (; c + 4 <= channels && hn::Lanes(four) == 4; c += 4) {
      pool_vectors<1, decltype(four), T, I>(four, op, row, count, c, at + c);
    }
  }
  const hn::CappedTag<A, 1> one;
  for (; c < channels; ++c) {
    pool_vectors<1, decltype(one), T, I>(one, op, row, count, c, at + c);
  }
}

template <class T, class I>
HWY_ATTR void pool_pixels(PoolOp op, const PoolRow<T>& row) {
  using A = acc_t<T>;
  const PoolHits& columns = *row.columns;
  const std::size_t width = columns.begin.size() - 1;
  int pixels = 0;  // that the newest share is of
  A share = 0;
  for (std::size_t j = 0; j < width; ++j) {
    const PoolHit* hits = columns.list.data() + columns.begin[j];
    const std::size_t hit_count = columns.begin[j + 1] - columns.begin[j];
    std::size_t count = 0;
    for (std::size_t r = 0; r < row.row_count; ++r) {
      const PoolHit& line = row.rows[r];
      for (std::size_t k = 0; k < hit_count; ++k) {
        PoolTerm<T>& term = row.terms[count++];
        term.source = row.source + (line.at * row.source_width + hits[k].at) * row.channels;
        term.tap = line.tap * row.kernel_w + hits[k].tap;
        if (op != PoolOp::avg_grad) continue;
        const int own = line.pixels * hits[k].pixels;
        if (own != pixels) share = A(1) / static_cast<A>(pixels = own);
        term.share = share;
      }
    }
    if (op == PoolOp::avg) {
      const int own = row.window ? row.window : static_cast<int>(count);
      if (own != pixels) share = A(1) / static_cast<A>(pixels = own);
      row.terms[0].share = share;
    }
    pool_channels<T, I>(op, row, count, static_cast<std::int64_t>(j) * row.channels);
  }
}

template <class T>
HWY_ATTR void pool_any(PoolOp op, const PoolRow<T>& row) {
  if (row.wide) return pool_pixels<T, std::int32_t>(op, row);
  pool_pixels<T, std::uint8_t>(op, row);
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
