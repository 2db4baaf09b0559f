// What happens to one element, written once for both devices: the CPU's loop (cpu_update.cpp) and
// the kernel (update_1_multi_tensor.cu) call these. T is f32 or f64.
//
// A formula changes `written` arrays, element by element, and `reads` another one or not:
//   read_slots(slots)   takes this step's values from device memory, once for each thread; made in
//                       f64 and rounded once. Until then they are 0.
//   formula(w, r)       the new elements w[0], w[1], ... where r is that of the array it reads
//   idle()              after read_slots: whether nothing would change, so that memory need not be
//                       touched
// The headers of the optimisers say what the names mean.
#pragma once

#include <cmath>
#include <cstdint>
#include <variant>

#include "kernels/optimizer/adam.h"
#include "kernels/optimizer/rmsprop.h"
#include "kernels/optimizer/sgd.h"
#include "tensor/host_device.h"

namespace imago::kernels {

// What most formulas are: two arrays or more, one of them only read, and never idle.
template <class T, int arrays_written>
struct Update {
  using Value = T;
  static constexpr int written = arrays_written;
  static constexpr bool reads = true;
  IMAGO_HOST_DEVICE bool idle() const { return false; }
};

// w: parameter. r: gradient.
template <class T>
struct SgdFormula : Update<T, 1> {
  T weight_decay;
  T lr = 0;

  explicit SgdFormula(const SgdConstants& k) : weight_decay(static_cast<T>(k.weight_decay)) {}
  IMAGO_HOST_DEVICE void read_slots(const double* slots) { lr = static_cast<T>(slots[0]); }

  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[1], T g) const {
    g = g + weight_decay * w[0];
    w[0] = w[0] - lr * g;
  }
};

// w: parameter, momentum buffer. r: gradient.
template <class T, bool nesterov>
struct SgdMomentumFormula : Update<T, 2> {
  T weight_decay, momentum;
  T lr = 0, taken = 0;

  explicit SgdMomentumFormula(const SgdConstants& k)
      : weight_decay(static_cast<T>(k.weight_decay)), momentum(static_cast<T>(k.momentum)) {}
  IMAGO_HOST_DEVICE void read_slots(const double* slots) {
    lr = static_cast<T>(slots[0]);
    taken = static_cast<T>(slots[1]);
  }

  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[2], T g) const {
    g = g + weight_decay * w[0];
    w[1] = momentum * w[1] + taken * g;
    w[0] = w[0] - lr * (nesterov ? g + momentum * w[1] : w[1]);
  }
};

// w: parameter, first moment, second moment. r: gradient.
template <class T>
struct AdamFormula : Update<T, 3> {
  double decoupled_decay;
  T one_minus_beta1, beta2, one_minus_beta2, eps, weight_decay;
  T kept = 0;          // of the parameter: 1 - lr weight_decay where decay is decoupled, else 1
  T step_size = 0;     // lr / (1 - beta1^t)
  T inverse_root = 0;  // 1 / sqrt(1 - beta2^t)

  explicit AdamFormula(const AdamConstants& k)
      : decoupled_decay(k.decoupled ? k.weight_decay : 0),
        one_minus_beta1(static_cast<T>(1.0 - k.beta1)),
        beta2(static_cast<T>(k.beta2)),
        one_minus_beta2(static_cast<T>(1.0 - k.beta2)),
        eps(static_cast<T>(k.eps)),
        weight_decay(static_cast<T>(k.decoupled ? 0 : k.weight_decay)) {}
  IMAGO_HOST_DEVICE void read_slots(const double* slots) {
    kept = static_cast<T>(1.0 - slots[0] * decoupled_decay);
    step_size = static_cast<T>(slots[0] * slots[1]);
    inverse_root = static_cast<T>(slots[2]);
  }

  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[3], T g) const {
    g = g + weight_decay * w[0];
    w[1] = w[1] + one_minus_beta1 * (g - w[1]);
    w[2] = beta2 * w[2] + one_minus_beta2 * (g * g);
    w[0] = kept * w[0] - step_size * (w[1] / (std::sqrt(w[2]) * inverse_root + eps));
  }
};

// w: parameter, mean square, [mean if centered], [momentum buffer if momentum]. r: gradient.
template <class T, bool centered, bool with_momentum>
struct RmspropFormula : Update<T, 2 + centered + with_momentum> {
  T alpha, one_minus_alpha, eps, weight_decay, momentum;
  T lr = 0;

  explicit RmspropFormula(const RmspropConstants& k)
      : alpha(static_cast<T>(k.alpha)),
        one_minus_alpha(static_cast<T>(1.0 - k.alpha)),
        eps(static_cast<T>(k.eps)),
        weight_decay(static_cast<T>(k.weight_decay)),
        momentum(static_cast<T>(k.momentum)) {}
  IMAGO_HOST_DEVICE void read_slots(const double* slots) { lr = static_cast<T>(slots[0]); }

  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[2 + centered + with_momentum],
                                                           T g) const {
    g = g + weight_decay * w[0];
    w[1] = alpha * w[1] + one_minus_alpha * (g * g);
    T variance = w[1];
    if constexpr (centered) {
      w[2] = w[2] + one_minus_alpha * (g - w[2]);
      variance = w[1] - w[2] * w[2];
      variance = variance < 0 ? T(0) : variance;  // rounding may take it below; NaN stays
    }
    T move = g / (std::sqrt(variance) + eps);
    if constexpr (with_momentum) {
      T& buffer = w[1 + centered + 1];
      buffer = momentum * buffer + move;
      move = buffer;
    }
    w[0] = w[0] - lr * move;
  }
};

// w: average. r: value.
template <class T>
struct EmaFormula : Update<T, 1> {
  T weight = 0;

  IMAGO_HOST_DEVICE void read_slots(const double* slots) { weight = static_cast<T>(slots[0]); }
  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[1], T value) const {
    w[0] = w[0] + weight * (value - w[0]);
  }
};

// w: anything, times a factor; idle where that is 1.
template <class T>
struct ScaleFormula : Update<T, 1> {
  static constexpr bool reads = false;
  T factor = 0;

  IMAGO_HOST_DEVICE void read_slots(const double* slots) { factor = static_cast<T>(slots[0]); }
  IMAGO_HOST_DEVICE bool idle() const { return factor == 1; }
  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[1], T) const {
    w[0] = factor * w[0];
  }
};

// w: anything, kept in [-limit, limit]; NaN stays.
template <class T>
struct ClampFormula : Update<T, 1> {
  static constexpr bool reads = false;
  T limit = 0;

  IMAGO_HOST_DEVICE void read_slots(const double* slots) { limit = static_cast<T>(slots[0]); }
  [[gnu::always_inline]] IMAGO_HOST_DEVICE void operator()(T (&w)[1], T) const {
    w[0] = w[0] > limit ? limit : (w[0] < -limit ? -limit : w[0]);
  }
};

template <class T>
using Formula =
    std::variant<SgdFormula<T>, SgdMomentumFormula<T, false>, SgdMomentumFormula<T, true>,
                 AdamFormula<T>, RmspropFormula<T, false, false>, RmspropFormula<T, false, true>,
                 RmspropFormula<T, true, false>, RmspropFormula<T, true, true>, EmaFormula<T>,
                 ScaleFormula<T>, ClampFormula<T>>;

}  // namespace imago::kernels
