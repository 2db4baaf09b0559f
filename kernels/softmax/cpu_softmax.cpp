#include "kernels/simd_targets.h"
#include "kernels/softmax/engines.h"
#include "kernels/softmax/formulas.h"

// Compiled once per SIMD target; see kernels/reduce/cpu_fold.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax/cpu_softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/reduce/cpu_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// Asks for n elements, to be written where write = 1.
template <int write, class T>
[[gnu::always_inline]] inline HWY_ATTR void ask_for(const T* at, std::int64_t n) {
  const auto* bytes = reinterpret_cast<const char*>(at);
  for (std::int64_t i = 0; i < n * static_cast<std::int64_t>(sizeof(T)); i += 64) {
    __builtin_prefetch(bytes + i, write);
  }
}

// Columns of a matrix, each a problem; a vector holds the same row of neighbouring columns.
template <Softmax op, class T>
HWY_ATTR void softmax_columns(const T* a, const T* b, T* out, std::int64_t length,
                              std::int64_t columns, std::int64_t pitch, acc_t<T>* scratch) {
  using A = acc_t<T>;
  alignas(64) A base[softmax_tile], sum[softmax_tile];
  for (std::int64_t j = 0; j < columns; ++j) {
    base[j] = has_base(op) ? fold_nothing<Fold::max, A>() : A(0);
    sum[j] = A(0);
  }
  if constexpr (has_base(op)) {
    for (std::int64_t k = 0; k < length; ++k) {
#pragma GCC ivdep
      for (std::int64_t j = 0; j < columns; ++j) {
        base[j] = larger(base[j], static_cast<A>(a[k * pitch + j]));
      }
    }
  }
  for (std::int64_t k = 0; k < length; ++k) {
    const T *pa = a + k * pitch, *pb = b + k * pitch;
    A* term = scratch + k * softmax_tile;
    // Of the columns that come next: rows far apart are nothing that the hardware asks for itself.
    ask_for<0>(pa + columns, columns);
#pragma GCC ivdep
    for (std::int64_t j = 0; j < columns; ++j) {
      term[j] = softmax_term<op>(static_cast<A>(pa[j]), static_cast<A>(pb[j]), base[j]);
      sum[j] += term[j];
    }
  }
#pragma GCC ivdep
  for (std::int64_t j = 0; j < columns; ++j) sum[j] = softmax_factor<op>(sum[j]);
  for (std::int64_t k = 0; k < length; ++k) {
    const T *pa = a + k * pitch, *pb = b + k * pitch;
    const A* term = scratch + k * softmax_tile;
    T* po = out + k * pitch;
#pragma GCC ivdep
    for (std::int64_t j = 0; j < columns; ++j) {
      po[j] = static_cast<T>(softmax_value<op>(static_cast<A>(pa[j]), static_cast<A>(pb[j]),
                                               base[j], term[j], sum[j]));
    }
  }
}

// The next row and the places of the results are asked for while terms are computed, which memory
// would otherwise have to wait for.
template <Softmax op, class T>
HWY_ATTR void softmax_row(const T* a, const T* b, T* out, std::int64_t length, acc_t<T>* scratch) {
  using A = acc_t<T>;
  A base = 0;
  if constexpr (has_base(op)) {
    const auto as_is = [a](std::int64_t i) HWY_ATTR { return static_cast<A>(a[i]); };
    base = fold_row<Fold::max, A>(length, as_is);
  }
  constexpr std::int64_t chunk = 64;
  for (std::int64_t first = 0; first < length; first += chunk) {
    const std::int64_t last = first + chunk < length ? first + chunk : length;
    ask_for<0>(a + length + first, chunk);
    ask_for<1>(out + first, chunk);
#pragma GCC ivdep
    for (std::int64_t i = first; i < last; ++i) {
      scratch[i] = softmax_term<op>(static_cast<A>(a[i]), static_cast<A>(b[i]), base);
    }
  }
  const auto term = [scratch](std::int64_t i) HWY_ATTR { return scratch[i]; };
  const A factor = softmax_factor<op>(fold_row<Fold::sum, A>(length, term));
#pragma GCC ivdep
  for (std::int64_t i = 0; i < length; ++i) {
    out[i] = static_cast<T>(
        softmax_value<op>(static_cast<A>(a[i]), static_cast<A>(b[i]), base, scratch[i], factor));
  }
}

// Up to row_group rows of fewer than short_row elements.
template <Softmax op, class T>
HWY_ATTR void softmax_short_rows(const T* a, const T* b, T* out, std::int64_t rows,
                                 std::int64_t length, acc_t<T>* scratch) {
  using A = acc_t<T>;
  alignas(64) A base[row_group] = {}, factor[row_group];
  if constexpr (has_base(op)) {
    const auto as_is = [a, length](std::int64_t r, std::int64_t i)
                           HWY_ATTR { return static_cast<A>(a[r * length + i]); };
    fold_short_rows<Fold::max>(rows, length, as_is, base);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    const T *pa = a + r * length, *pb = b + r * length;
    A* term = scratch + r * length;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < length; ++i) {
      term[i] = softmax_term<op>(static_cast<A>(pa[i]), static_cast<A>(pb[i]), base[r]);
    }
  }
  const auto term = [scratch, length](std::int64_t r, std::int64_t i)
                        HWY_ATTR { return scratch[r * length + i]; };
  fold_short_rows<Fold::sum>(rows, length, term, factor);
#pragma GCC ivdep
  for (std::int64_t r = 0; r < row_group; ++r) factor[r] = softmax_factor<op>(factor[r]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T *pa = a + r * length, *pb = b + r * length;
    const A* terms = scratch + r * length;
    T* to = out + r * length;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < length; ++i) {
      to[i] = static_cast<T>(softmax_value<op>(static_cast<A>(pa[i]), static_cast<A>(pb[i]),
                                               base[r], terms[i], factor[r]));
    }
  }
}

// Rows too short for vectors: up to softmax_tile of them, transposed, are columns.
constexpr std::int64_t narrow_row = 32;

template <Softmax op, class T>
HWY_ATTR void softmax_narrow_rows(const T* a, const T* b, T* out, std::int64_t rows,
                                  std::int64_t length, acc_t<T>* scratch) {
  using A = acc_t<T>;
  A* const ta = scratch + narrow_row * softmax_tile;
  A* const tb = ta + narrow_row * softmax_tile;
  transpose_elements(a, length, rows, length, ta, softmax_tile);
  transpose_elements(b, length, rows, length, tb, softmax_tile);
  softmax_columns<op, A>(ta, tb, ta, length, rows, softmax_tile, scratch);
  transpose_elements(ta, softmax_tile, length, rows, out, length);
}

// `many` rows at a time.
template <class Some>
HWY_ATTR void in_groups(std::int64_t rows, std::int64_t many, Some some) {
  for (std::int64_t i = 0; i < rows; i += many) some(i, rows - i < many ? rows - i : many);
}

template <class T>
HWY_ATTR void run_call(const SoftmaxCall& c) {
  const T *a = static_cast<const T*>(c.a), *b = static_cast<const T*>(c.b);
  T* out = static_cast<T*>(c.out);
  auto* scratch = static_cast<acc_t<T>*>(c.scratch);
  with_softmax(c.op, [&]<Softmax op>() HWY_ATTR {
    if (c.columns > 0) return softmax_columns<op>(a, b, out, c.length, c.columns, c.pitch, scratch);
    if (c.length < narrow_row) {
      return in_groups(c.rows, softmax_tile, [&](std::int64_t i, std::int64_t n) HWY_ATTR {
        const std::int64_t at = i * c.length;
        softmax_narrow_rows<op>(a + at, b + at, out + at, n, c.length, scratch);
      });
    }
    if (c.length < short_row) {
      return in_groups(c.rows, row_group, [&](std::int64_t i, std::int64_t n) HWY_ATTR {
        const std::int64_t at = i * c.length;
        softmax_short_rows<op>(a + at, b + at, out + at, n, c.length, scratch);
      });
    }
    for (std::int64_t i = 0; i < c.rows; ++i) {
      const std::int64_t at = i * c.length;
      softmax_row<op>(a + at, b + at, out + at, c.length, scratch);
    }
  });
}

HWY_ATTR void run_floats(const SoftmaxCall& c) {
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

void run_softmax(const SoftmaxCall& c) {
  if (c.dtype == DType::f64) {
    HWY_STATIC_DISPATCH(run_call<double>)(c);
  } else {
    HWY_DYNAMIC_DISPATCH(run_floats)(c);
  }
}

}  // namespace imago::kernels
#endif
