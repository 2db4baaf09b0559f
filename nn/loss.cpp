#include "nn/loss.h"

#include "autograd/ops/abs.h"
#include "autograd/ops/bce_with_logits.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/clamp.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "kernels/elementwise/elementwise.h"

namespace imago::loss {
namespace {

// Broadcasting here would average over pairs that nobody meant.
void require_same_shape(const char* op, const Var& a, const Var& b) {
  check(a.shape() == b.shape(), op, "compares equal shapes, not ", a.shape(), " and ", b.shape(),
        "; reshape one, as repeating it would average over pairs that nobody meant");
}

// In acc_t, in which losses are summed.
Var difference(const char* op, const Var& a, const Var& b) {
  require_same_shape(op, a, b);
  return ops::cast(ops::sub(a, b), acc_dtype(a.dtype()));
}

// The huber loss without its mean. With c = d clamped to +-delta it is c (d - c / 2), inside and
// outside alike.
Var huber_of(const Var& d, double delta) {
  const Var c = ops::clamp(d, {.low = -delta, .high = delta});
  return ops::mul(c, ops::sub(d, ops::scale(c, 0.5)));
}

}  // namespace

Var bce_with_logits(const Var& logits, const Var& targets) {
  require_same_shape("bce_with_logits", logits, targets);
  return ops::bce_with_logits(logits, targets);
}

Var bce_with_logits(const Var& logits, double target) {
  check(target >= 0 && target <= 1, "bce_with_logits",
        "the target is a probability, in [0, 1], not ", target, "; real is 1 and fake 0");
  const Device device = logits.device();
  return ops::bce_with_logits(logits,
                              Var(kernels::full(logits.shape(), target, logits.dtype(), device)));
}

Var cross_entropy(const Var& logits, const Var& labels, const CrossEntropyOptions& options) {
  return ops::cross_entropy(logits, labels.tensor(),
                            {options.label_smoothing, options.ignore_index});
}

Var mse(const Var& a, const Var& b) {
  return ops::mean(ops::square(difference("mse", a, b)));
}

Var l1(const Var& a, const Var& b) {
  return ops::mean(ops::abs(difference("l1", a, b)));
}

Var huber(const Var& a, const Var& b, double delta) {
  check(delta > 0, "huber", "delta is positive, not ", delta);
  return ops::mean(huber_of(difference("huber", a, b), delta));
}

Var smooth_l1(const Var& a, const Var& b, double beta) {
  check(beta >= 0, "smooth_l1", "beta is 0 or more, not ", beta);
  const Var d = difference("smooth_l1", a, b);
  if (beta == 0) return ops::mean(ops::abs(d));
  return ops::scale(ops::mean(huber_of(d, beta)), 1 / beta);
}

}  // namespace imago::loss
