#include "kernels/reduce/cpu_fold.h"

#include <algorithm>

#include "kernels/simd_targets.h"
#include "tensor/error.h"

// Compiled once per SIMD target; see kernels/elementwise/cpu_unary.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduce/cpu_fold.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/reduce/cpu_row-inl.h"
#include "kernels/simd_elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <Fold op, class T, class Out>
HWY_ATTR void fold_columns(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
                           Out* out) {
  using C = std::conditional_t<op == Fold::sum, Out, fold_t<T>>;
  alignas(64) C acc[fold_tile_columns];
  for (std::int64_t j = 0; j < columns; ++j) acc[j] = fold_nothing<op, C>();
  const auto lift = [](T v) HWY_ATTR { return fold_lift<op, C>(static_cast<C>(v)); };
  // Sums are added as a tree, so that errors stay small; where there are none, row after row is
  // what memory likes best.
  constexpr bool sums = op == Fold::sum || op == Fold::sum_abs || op == Fold::sum_squares;
  std::int64_t i = 0;
  for (; sums && i + 4 <= rows; i += 4) {
    const T* r = x + i * pitch;
#pragma GCC ivdep
    for (std::int64_t j = 0; j < columns; ++j) {
      const C a = fold_join<op>(lift(r[j]), lift(r[pitch + j]));
      const C b = fold_join<op>(lift(r[2 * pitch + j]), lift(r[3 * pitch + j]));
      acc[j] = fold_join<op>(acc[j], fold_join<op>(a, b));
    }
  }
  for (; i < rows; ++i) {
    const T* r = x + i * pitch;
#pragma GCC ivdep
    for (std::int64_t j = 0; j < columns; ++j) acc[j] = fold_join<op>(acc[j], lift(r[j]));
  }
  for (std::int64_t j = 0; j < columns; ++j) out[j] = static_cast<Out>(acc[j]);
}

template <class T, class Out>
HWY_ATTR void logsumexp_columns(const T* x, std::int64_t rows, std::int64_t columns,
                                std::int64_t pitch, Out* out) {
  alignas(64) Out base[fold_tile_columns], sum[fold_tile_columns];
  fold_columns<Fold::logsumexp, T, Out>(x, rows, columns, pitch, base);
  for (std::int64_t j = 0; j < columns; ++j) base[j] = log_base(base[j]), sum[j] = Out(0);
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* r = x + i * pitch;
#pragma GCC ivdep
    for (std::int64_t j = 0; j < columns; ++j) {
      sum[j] += math::exp(static_cast<Out>(r[j]) - base[j]);
    }
  }
#pragma GCC ivdep
  for (std::int64_t j = 0; j < columns; ++j) out[j] = base[j] + math::log(sum[j]);
}

template <Fold op, class T, class Out>
HWY_ATTR void fold_rows(const T* x, std::int64_t rows, std::int64_t length, Out* out) {
  using C = std::conditional_t<op == Fold::sum, Out, fold_t<T>>;
  for (std::int64_t i = 0; i < rows; ++i, x += length) {
    const auto lifted = [x](std::int64_t j)
                            HWY_ATTR { return fold_lift<op, C>(static_cast<C>(x[j])); };
    out[i] = static_cast<Out>(fold_row<op, C>(length, lifted));
  }
}

template <class T, class Out>
HWY_ATTR void logsumexp_short_rows(const T* x, std::int64_t rows, std::int64_t length, Out* out) {
  for (std::int64_t i = 0; i < rows; i += row_group, x += row_group * length) {
    const std::int64_t n = rows - i < row_group ? rows - i : row_group;
    alignas(64) Out base[row_group], sum[row_group];
    const auto as_is = [x, length](std::int64_t r, std::int64_t j)
                           HWY_ATTR { return static_cast<Out>(x[r * length + j]); };
    fold_short_rows<Fold::max>(n, length, as_is, base);
    for (std::int64_t r = 0; r < row_group; ++r) base[r] = log_base(base[r]);
    const auto raised = [as_is, &base](std::int64_t r, std::int64_t j)
                            HWY_ATTR { return math::exp(as_is(r, j) - base[r]); };
    fold_short_rows<Fold::sum>(n, length, raised, sum);
#pragma GCC ivdep
    for (std::int64_t r = 0; r < row_group; ++r) sum[r] = base[r] + math::log(sum[r]);
    for (std::int64_t r = 0; r < n; ++r) out[i + r] = sum[r];
  }
}

template <class T, class Out>
HWY_ATTR void logsumexp_rows(const T* x, std::int64_t rows, std::int64_t length, Out* out) {
  if (length < short_row) return logsumexp_short_rows(x, rows, length, out);
  for (std::int64_t i = 0; i < rows; ++i, x += length) {
    const auto as_is = [x](std::int64_t j) HWY_ATTR { return static_cast<Out>(x[j]); };
    const Out base = log_base(fold_row<Fold::max, Out>(length, as_is));
    const auto raised = [x, base](std::int64_t j)
                            HWY_ATTR { return math::exp(static_cast<Out>(x[j]) - base); };
    out[i] = base + math::log(fold_row<Fold::sum, Out>(length, raised));
  }
}

template <class T, class Out>
HWY_ATTR void columns_any(Fold op, const T* x, std::int64_t rows, std::int64_t columns,
                          std::int64_t pitch, Out* out) {
  if constexpr (std::is_same_v<T, Out>) {
    if (op == Fold::max) return fold_columns<Fold::max>(x, rows, columns, pitch, out);
    if (op == Fold::min) return fold_columns<Fold::min>(x, rows, columns, pitch, out);
  }
  if constexpr (!std::is_same_v<Out, T> || !std::is_same_v<T, bf16>) {
    if (op == Fold::sum) return fold_columns<Fold::sum>(x, rows, columns, pitch, out);
  }
  if constexpr (std::is_same_v<Out, float> || std::is_same_v<Out, double>) {
    if (op == Fold::sum_abs) return fold_columns<Fold::sum_abs>(x, rows, columns, pitch, out);
    if (op == Fold::sum_squares) {
      return fold_columns<Fold::sum_squares>(x, rows, columns, pitch, out);
    }
    if (op == Fold::logsumexp) logsumexp_columns(x, rows, columns, pitch, out);
  }
}

template <class T, class Out>
HWY_ATTR void rows_any(Fold op, const T* x, std::int64_t rows, std::int64_t length, Out* out) {
  if constexpr (std::is_same_v<T, Out>) {
    if (op == Fold::max) return fold_rows<Fold::max>(x, rows, length, out);
    if (op == Fold::min) return fold_rows<Fold::min>(x, rows, length, out);
  }
  if constexpr (!std::is_same_v<Out, T> || !std::is_same_v<T, bf16>) {
    if (op == Fold::sum) return fold_rows<Fold::sum>(x, rows, length, out);
  }
  if constexpr (std::is_same_v<Out, float> || std::is_same_v<Out, double>) {
    if (op == Fold::sum_abs) return fold_rows<Fold::sum_abs>(x, rows, length, out);
    if (op == Fold::sum_squares) return fold_rows<Fold::sum_squares>(x, rows, length, out);
    if (op == Fold::logsumexp) logsumexp_rows(x, rows, length, out);
  }
}

// Whether v is to be preferred to a best that came before it.
template <class C>
[[gnu::always_inline]] inline bool beats(C v, C best) {
  return (v > best) | ((v != v) & (best == best));
}

template <class T>
HWY_ATTR void argmax_columns(const T* x, std::int64_t rows, std::int64_t columns,
                             std::int64_t pitch, T* value, std::int64_t* index) {
  using C = fold_t<T>;
  // Of the width of C, so that values and places fill vectors alike.
  using Place = std::conditional_t<sizeof(C) == 8, std::int64_t, std::int32_t>;
  alignas(64) C best[fold_tile_columns];
  alignas(64) Place place[fold_tile_columns];
  for (std::int64_t j = 0; j < columns; ++j) best[j] = static_cast<C>(x[j]), place[j] = 0;
  for (std::int64_t i = 1; i < rows; ++i) {
    const T* r = x + i * pitch;
    const Place here = static_cast<Place>(i);
#pragma GCC ivdep
    for (std::int64_t j = 0; j < columns; ++j) {
      const C v = static_cast<C>(r[j]);
      const bool take = beats(v, best[j]);
      best[j] = take ? v : best[j];
      place[j] = take ? here : place[j];
    }
  }
  for (std::int64_t j = 0; j < columns; ++j)
    value[j] = static_cast<T>(best[j]), index[j] = place[j];
}

// The place of the first of the largest elements of a row; -1 if the row is shorter than a vector
// or holds a NaN. Each lane keeps its first best, and the least place among the best lanes is
// taken.
template <class T>
HWY_ATTR std::int64_t argmax_of_numbers(const T* row, std::int64_t length) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  if (length < n) return -1;
  auto best = load(d, row);
  auto nan = hn::Ne(best, best);
  auto here = hn::Iota(di, 0), place = here;
  const auto step = hn::Set(di, static_cast<std::int32_t>(n));
  std::int64_t i = n;
  for (; i + n <= length; i += n) {
    const auto v = load(d, row + i);
    here = hn::Add(here, step);
    const auto take = hn::Gt(v, best);
    best = hn::IfThenElse(take, v, best);
    place = hn::IfThenElse(hn::RebindMask(di, take), here, place);
    nan = hn::Or(nan, hn::Ne(v, v));
  }
  if (!hn::AllFalse(d, nan)) return -1;
  const auto largest = hn::MaxOfLanes(d, best);
  const auto nowhere = hn::Set(di, std::numeric_limits<std::int32_t>::max());
  const auto among = hn::IfThenElse(hn::RebindMask(di, hn::Eq(best, largest)), place, nowhere);
  std::int64_t at = hn::GetLane(hn::MinOfLanes(di, among));
  for (float most = hn::GetLane(largest); i < length; ++i) {
    const float v = static_cast<float>(row[i]);
    if (v != v) return -1;
    if (v > most) most = v, at = i;
  }
  return at;
}

template <class T>
HWY_ATTR void argmax_rows(const T* x, std::int64_t rows, std::int64_t length, T* value,
                          std::int64_t* index) {
  using C = fold_t<T>;
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* row = x + i * length;
    std::int64_t at = -1;
    if constexpr (std::is_same_v<C, float>) at = argmax_of_numbers(row, length);
    if (at < 0) {
      at = 0;
      for (std::int64_t j = 1; j < length; ++j) {
        if (beats(static_cast<C>(row[j]), static_cast<C>(row[at]))) at = j;
      }
    }
    value[i] = row[at];
    index[i] = at;
  }
}

template <class T>
HWY_ATTR void run_call(const FoldCall& c) {
  const T* x = static_cast<const T*>(c.x);
  const auto fold = [&]<class Out>() HWY_ATTR {
    Out* out = static_cast<Out*>(c.out);
    if (c.columns == 0) {
      rows_any(c.op, x, c.rows, c.pitch, out);
    } else {
      columns_any(c.op, x, c.rows, c.columns, c.pitch, out);
    }
  };
  if (c.index) {
    T* value = static_cast<T*>(c.out);
    if (c.columns == 0) {
      argmax_rows(x, c.rows, c.pitch, value, c.index);
    } else {
      argmax_columns(x, c.rows, c.columns, c.pitch, value, c.index);
    }
  } else if (c.op == Fold::max || c.op == Fold::min) {
    fold.template operator()<T>();
  } else {
    fold.template operator()<folded_t<Fold::sum, T>>();
  }
}

HWY_ATTR void run_floats(const FoldCall& c) {
  if (c.dtype == DType::f32) {
    run_call<float>(c);
  } else {
    run_call<bf16>(c);
  }
}

}  // namespace imago::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace imago::kernels {

HWY_EXPORT(run_floats);

void run_fold(const FoldCall& c) {
  if (c.dtype == DType::f32 || c.dtype == DType::bf16) {
    HWY_DYNAMIC_DISPATCH(run_floats)(c);
    return;
  }
  dispatch<double, std::int32_t, std::int64_t, std::uint8_t>(c.dtype, "reduce", [&]<class T> {
    HWY_STATIC_DISPATCH(run_call<T>)(c);
  });
}

}  // namespace imago::kernels
#endif
