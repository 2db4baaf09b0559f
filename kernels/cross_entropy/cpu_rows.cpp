#include "kernels/cross_entropy/engines.h"
#include "kernels/reduce/fold.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/reduce/cpu_fold.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cross_entropy/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/reduce/cpu_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

template <class T>
HWY_ATTR void forward_rows(const CrossEntropyCall& c) {
  using A = acc_t<T>;
  const T* x = static_cast<const T*>(c.x);
  A *largest = static_cast<A*>(c.largest), *log_sum = static_cast<A*>(c.log_sum);
  A* loss = static_cast<A*>(c.loss);
  const A smoothing = static_cast<A>(c.options.label_smoothing);
  const A share = smoothing / static_cast<A>(c.classes);
  for (std::int64_t i = 0; i < c.rows; ++i, x += c.classes) {
    const auto as_is = [x](std::int64_t k) HWY_ATTR { return static_cast<A>(x[k]); };
    const A base = fold_row<Fold::max, A>(c.classes, as_is);
    const auto raised = [x, base](std::int64_t k)
                            HWY_ATTR { return math::exp(static_cast<A>(x[k]) - base); };
    largest[i] = base;
    log_sum[i] = math::log(fold_row<Fold::sum, A>(c.classes, raised));
    loss[i] = 0;
    if (c.labels[i] == c.options.ignore_index) continue;
    // All differences from the largest logit: however large it is, they are not.
    const A target = static_cast<A>(x[c.labels[i]]) - base;
    loss[i] = log_sum[i] - (smoothing > 0 ? (1 - smoothing) * target : target);
    if (smoothing > 0) {
      const auto below = [x, base](std::int64_t k) HWY_ATTR { return static_cast<A>(x[k]) - base; };
      loss[i] -= share * fold_row<Fold::sum, A>(c.classes, below);
    }
  }
}

template <class T>
HWY_ATTR void grad_rows(const CrossEntropyCall& c) {
  using A = acc_t<T>;
  const T* x = static_cast<const T*>(c.x);
  T* dx = static_cast<T*>(c.dx);
  const A *largest = static_cast<A*>(c.largest), *log_sum = static_cast<A*>(c.log_sum);
  const A* scale = static_cast<const A*>(c.scale);
  const A kept = static_cast<A>(1 - c.options.label_smoothing);
  const A share = static_cast<A>(c.options.label_smoothing) / static_cast<A>(c.classes);
  for (std::int64_t i = 0; i < c.rows; ++i, x += c.classes, dx += c.classes) {
    if (c.labels[i] == c.options.ignore_index) {
      for (std::int64_t k = 0; k < c.classes; ++k) dx[k] = static_cast<T>(0.0f);
      continue;
    }
    const A base = largest[i], normaliser = log_sum[i], factor = scale[i];
#pragma GCC ivdep
    for (std::int64_t k = 0; k < c.classes; ++k) {
      const A p = math::exp((static_cast<A>(x[k]) - base) - normaliser);
      dx[k] = static_cast<T>(factor * (p - share));
    }
    const std::int64_t t = c.labels[i];
    const A p = math::exp((static_cast<A>(x[t]) - base) - normaliser);
    dx[t] = static_cast<T>(factor * ((p - share) - kept));
  }
}

template <class T>
HWY_ATTR void run_call(const CrossEntropyCall& c) {
  if (c.dx) {
    grad_rows<T>(c);
  } else {
    forward_rows<T>(c);
  }
}

HWY_ATTR void run_floats(const CrossEntropyCall& c) {
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

void run_cross_entropy(const CrossEntropyCall& c) {
  if (c.dtype == DType::f64) {
    HWY_STATIC_DISPATCH(run_call<double>)(c);
  } else {
    HWY_DYNAMIC_DISPATCH(run_floats)(c);
  }
}

}  // namespace imago::kernels
#endif
