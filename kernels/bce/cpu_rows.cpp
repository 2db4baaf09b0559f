#include "kernels/bce/engines.h"
#include "kernels/elementwise/math.h"
#include "kernels/reduce/fold.h"
#include "kernels/simd_targets.h"

// Compiled once per SIMD target; see kernels/reduce/cpu_fold.cpp.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/bce/cpu_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
//
#include "kernels/reduce/cpu_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace imago::kernels::HWY_NAMESPACE {

// A stretch is a row of its own: no loss is stored, and the lanes that fold_row adds in are the
// same on every target.
template <class T>
HWY_ATTR void sum_losses(const BceCall& c) {
  using A = acc_t<T>;
  for (std::int64_t begin = 0; begin < c.count; begin += bce_stretch) {
    const std::int64_t left = c.count - begin;
    const T* x = static_cast<const T*>(c.x) + begin;
    const T* t = static_cast<const T*>(c.t) + begin;
    const auto loss = [x, t](std::int64_t i) HWY_ATTR {
      const A v = static_cast<A>(x[i]);
      return math::softplus(v) - v * static_cast<A>(t[i]);
    };
    const A sum = fold_row<Fold::sum, A>(left < bce_stretch ? left : bce_stretch, loss);
    c.sums[begin / bce_stretch] = static_cast<double>(sum);
  }
}

template <class T>
HWY_ATTR void gradients(const BceCall& c) {
  using A = acc_t<T>;
  const T *x = static_cast<const T*>(c.x), *t = static_cast<const T*>(c.t);
  T* dx = static_cast<T*>(c.dx);
  const A factor = static_cast<A>(c.factor);
  const std::int64_t count = c.count;
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) {
    const A difference = math::sigmoid(static_cast<A>(x[i])) - static_cast<A>(t[i]);
    dx[i] = static_cast<T>(factor * difference);
  }
}

template <class T>
HWY_ATTR void run_call(const BceCall& c) {
  if (c.dx) {
    gradients<T>(c);
  } else {
    sum_losses<T>(c);
  }
}

HWY_ATTR void run_floats(const BceCall& c) {
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

void run_bce(const BceCall& c) {
  if (c.dtype == DType::f64) {
    HWY_STATIC_DISPATCH(run_call<double>)(c);
  } else {
    HWY_DYNAMIC_DISPATCH(run_floats)(c);
  }
}

}  // namespace imago::kernels
#endif
