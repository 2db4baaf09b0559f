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
#include "kernels/simd_transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

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
    ask_for_row(pa + columns, columns * static_cast<std::int64_t>(sizeof(T)));
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

template <Softmax op, class T>
HWY_ATTR void softmax_row(const T* a, const T* b, T* out, std::int64_t length, acc_t<T>* scratch) {
  using A = acc_t<T>;
  A base = 0;
  if constexpr (has_base(op)) {
    const auto as_is = [a](std::int64_t i) HWY_ATTR { return static_cast<A>(a[i]); };
    base = fold_row<Fold::max, A>(length, as_is);
  }
#pragma GCC ivdep
  for (std::int64_t i = 0; i < length; ++i) {
    scratch[i] = softmax_term<op>(static_cast<A>(a[i]), static_cast<A>(b[i]), base);
  }
  const auto term = [scratch](std::int64_t i) HWY_ATTR { return scratch[i]; };
  const A factor = softmax_factor<op>(fold_row<Fold::sum, A>(length, term));
#pragma GCC ivdep
  for (std::int64_t i = 0; i < length; ++i) {
    out[i] = static_cast<T>(
        softmax_value<op>(static_cast<A>(a[i]), static_cast<A>(b[i]), base, scratch[i], factor));
  }
}

template <Softmax op, class T>
HWY_ATTR void softmax_short_rows(const T* a, const T* b, T* out, std::int64_t rows,
                                 std::int64_t length, acc_t<T>* scratch) {
  using A = acc_t<T>;
  alignas(64) A ta[softmax_short_row * softmax_tile],
      tb[has_base(op) ? 1 : softmax_short_row * softmax_tile];
  const A* second = has_base(op) ? ta : tb;  // where it is not used
  for (std::int64_t row = 0; row < rows; row += softmax_tile) {
    const std::int64_t columns = rows - row < softmax_tile ? rows - row : softmax_tile;
    const std::int64_t first = row * length;
    transpose_elements(a + first, length, columns, length, ta, softmax_tile);
    if constexpr (!has_base(op)) {
      transpose_elements(b + first, length, columns, length, tb, softmax_tile);
    }
    softmax_columns<op, A>(ta, second, ta, length, columns, softmax_tile, scratch);
    transpose_elements(ta, softmax_tile, length, columns, out + first, length);
  }
}

template <class T>
HWY_ATTR void run_call(const SoftmaxCall& c) {
  const T *a = static_cast<const T*>(c.a), *b = static_cast<const T*>(c.b);
  T* out = static_cast<T*>(c.out);
  auto* scratch = static_cast<acc_t<T>*>(c.scratch);
  with_softmax(c.op, [&]<Softmax op>() HWY_ATTR {
    if (c.columns > 0) {
      softmax_columns<op>(a, b, out, c.length, c.columns, c.pitch, scratch);
    } else if (c.length <= softmax_short_row) {
      softmax_short_rows<op>(a, b, out, c.rows, c.length, scratch);
    } else {
      for (std::int64_t i = 0; i < c.rows; ++i) {
        if (i + 1 < c.rows) {
          ask_for_row(a + (i + 1) * c.length, c.length * static_cast<std::int64_t>(sizeof(T)));
        }
        softmax_row<op>(a + i * c.length, b + i * c.length, out + i * c.length, c.length, scratch);
      }
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
