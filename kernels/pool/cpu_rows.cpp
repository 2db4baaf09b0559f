#include "kernels/pool/cpu_rows.h"

#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/pool/cpu_pixels-inl.h"
#include "kernels/simd_elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A source is read in pieces of pixels here and there, which the processor's own prefetching
// follows too late: each load asks for what lies a few pixels behind. (Not in avg_grad, which
// mostly writes.)
template <class D, class T>
HWY_INLINE HWY_ATTR hn::Vec<D> load_source(D d, const T* from) {
  constexpr std::size_t ahead = 2048 / sizeof(T);
  __builtin_prefetch(from + ahead);
  return load(d, from);
}

// Taps as integers as wide as the lanes of D; of f64, one lane at a time.
template <class D, class I>
HWY_INLINE HWY_ATTR hn::Vec<hn::RebindToSigned<D>> load_taps(D, const I* taps) {
  const hn::RebindToSigned<D> di;
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return hn::Set(di, static_cast<std::int64_t>(*taps));
  } else {
    const hn::Rebind<I, D> narrow;
    const auto own = hn::LoadU(narrow, taps);
    if constexpr (sizeof(I) == 4) return own;
    if constexpr (sizeof(I) == 1) return hn::PromoteTo(di, own);
  }
}
template <class D>
HWY_INLINE HWY_ATTR hn::Mask<D> taps_are(D d, int tap, hn::Vec<hn::RebindToSigned<D>> taps) {
  const hn::RebindToSigned<D> di;
  return hn::RebindMask(d, hn::Eq(taps, hn::Set(di, static_cast<hn::TFromD<decltype(di)>>(tap))));
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
    best[v] = load_source(d, terms[0].source + first + v * n);
    which[v] = hn::Set(di, static_cast<Tap>(terms[0].tap));
  }
  for (std::size_t k = 1; k < count; ++k) {
    const T* x = terms[k].source + first;
    const auto tap = hn::Set(di, static_cast<Tap>(terms[k].tap));
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto value = load_source(d, x + v * n);
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
  hn::Vec<hn::RebindToSigned<D>> own[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    picked[v] = load_source(d, terms[0].source + first + v * n);
    own[v] = load_taps(d, taps + v * n);
  }
  for (std::size_t k = 1; k < count; ++k) {
    const T* x = terms[k].source + first;
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const auto chosen = taps_are(d, terms[k].tap, own[v]);
      picked[v] = hn::IfThenElse(chosen, load_source(d, x + v * n), picked[v]);
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
      const auto chosen = taps_are(d, terms[k].tap, load_taps(d, own + v * n));
      sums[v] = hn::Add(sums[v], hn::IfThenElseZero(chosen, load_source(d, dy + v * n)));
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
      const auto value = shares ? load(d, x + v * n) : load_source(d, x + v * n);
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
  const PoolTerm<T>* terms = row.scratch->terms.data();
  const I* taps = static_cast<const I*>(row.taps);
  switch (op) {
    case PoolOp::max: {
      I* chosen = static_cast<I*>(row.new_taps);
      return max_channels<vectors, D, T, I>(d, terms, count, first, out,
                                            chosen ? chosen + at : nullptr);
    }
    case PoolOp::max_grad:
      return max_grad_channels<vectors, D, T, I>(d, terms, count, first, out, row.source, taps);
    case PoolOp::pick:
      return pick_channels<vectors, D, T, I>(d, terms, count, first, out, taps + at);
    case PoolOp::avg:
      return avg_channels<false, vectors, D, T>(d, terms, count, first, out);
    case PoolOp::avg_grad:
      return avg_channels<true, vectors, D, T>(d, terms, count, first, out);
  }
}

// `channels` channels, those of pixels that lie side by side, from `at` of the result on: in blocks
// of vectors, vectors, and what is left.
template <class T, class I>
HWY_ATTR void pool_channels(PoolOp op, const PoolRow<T>& row, std::size_t count,
                            std::int64_t channels, std::int64_t at) {
  using A = acc_t<T>;
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

// 1 / pixels, divided anew where it changes.
template <class A>
struct Share {
  int pixels = 0;
  A value = 0;
  A of(int own) {
    if (own != pixels) value = A(1) / static_cast<A>(pixels = own);
    return value;
  }
};

// The terms of column `place` of the result into the scratch; how many they are.
template <class T>
HWY_INLINE HWY_ATTR std::size_t find_terms(PoolOp op, const PoolRow<T>& row, std::int64_t place,
                                           Share<acc_t<T>>& share) {
  const PoolHits& columns = *row.columns;
  const auto j = static_cast<std::size_t>(place);
  const PoolHit* hits = columns.list.data() + columns.begin[j];
  const std::size_t hit_count = columns.begin[j + 1] - columns.begin[j];
  PoolTerm<T>* terms = row.scratch->terms.data();
  std::size_t count = 0;
  for (std::size_t r = 0; r < row.row_count; ++r) {
    const PoolHit& line = row.rows[r];
    for (std::size_t k = 0; k < hit_count; ++k) {
      PoolTerm<T>& term = terms[count++];
      term.source = row.source + (line.at * row.source_width + hits[k].at) * row.channels;
      term.tap = line.tap * row.kernel_w + hits[k].tap;
      if (op == PoolOp::avg_grad) term.share = share.of(line.pixels * hits[k].pixels);
    }
  }
  if (op == PoolOp::avg)
    terms[0].share = share.of(row.window ? row.window : static_cast<int>(count));
  return count;
}

// Every run of pixels at once. The pixels of a term lie side by side, or are moved so if a stride
// is between them; where a stride is between those of the result, these are moved when all are
// there.
template <class T, class I>
HWY_ATTR void pool_runs(PoolOp op, const PoolRow<T>& row) {
  const PoolHits& columns = *row.columns;
  PoolScratch<T>& scratch = *row.scratch;
  const std::int64_t width = columns.places(), phases = columns.period;
  const std::int64_t phase = row_room(ceil_div(width, phases), row.channels);
  PoolRow<T> apart = row;
  if (phases > 1) apart.out = scratch.pixels.data();
  Share<acc_t<T>> share;
  for (const PoolRun& run : columns.runs) {
    const std::size_t count = find_terms(op, row, run.first, share);
    if (run.count > 1 && columns.step > 1) {
      T* moved = scratch.pixels.data();
      for (std::size_t k = 0; k < count; ++k) {
        const T*& source = scratch.terms[k].source;
        gather_pixels(source, row.source + row.source_size - source, columns.step, run.count,
                      row.channels, scratch.table, moved);
        source = moved;
        moved += row_room(run.count, row.channels);
      }
    }
    std::int64_t at = run.first * row.channels;
    if (phases > 1) at = run.first % phases * phase + run.first / phases * row.channels;
    pool_channels<T, I>(op, apart, count, run.count * row.channels, at);
  }
  if (phases > 1) {
    spread_pixels(apart.out, phase, phases, width, row.channels, scratch.table, row.out);
  }
}

template <class T>
HWY_ATTR void pool_any(PoolOp op, const PoolRow<T>& row) {
  if (row.wide) return pool_runs<T, std::int32_t>(op, row);
  pool_runs<T, std::uint8_t>(op, row);
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
