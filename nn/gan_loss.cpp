#include "nn/gan_loss.h"

#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/relu.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"
#include "nn/loss.h"

namespace imago::loss {
namespace {

// In acc_t, in which losses are summed.
Var in_acc(const Var& x) {
  return ops::cast(x, acc_dtype(x.dtype()));
}

void require_target(const char* op, double real_target) {
  check(real_target > 0 && real_target <= 1, op,
        "real_target is what D is to say of real images, in (0, 1], not ", real_target,
        "; 1 is no smoothing, 0.9 a usual one");
}

// 1/2 E (x - target)^2.
Var half_square(const Var& x, double target) {
  return ops::scale(ops::mean(ops::square(ops::add_scalar(in_acc(x), -target))), 0.5);
}

}  // namespace

Var gan_d(const Var& real_logits, const Var& fake_logits, double real_target) {
  require_target("gan_d", real_target);
  return ops::add(bce_with_logits(real_logits, real_target), bce_with_logits(fake_logits, 0));
}

Var gan_g(const Var& fake_logits) {
  return bce_with_logits(fake_logits, 1);
}

// log(1 - s(x)) is what bce gives for target 0, negated: no logarithm of a rounded 1 - s(x).
Var gan_g_minimax(const Var& fake_logits) {
  return ops::scale(bce_with_logits(fake_logits, 0), -1);
}

Var hinge_d(const Var& real, const Var& fake) {
  const Var below = ops::relu(ops::add_scalar(ops::scale(in_acc(real), -1), 1));
  const Var above = ops::relu(ops::add_scalar(in_acc(fake), 1));
  return ops::add(ops::mean(below), ops::mean(above));
}

Var hinge_g(const Var& fake) {
  return ops::scale(ops::mean(in_acc(fake)), -1);
}

Var lsgan_d(const Var& real, const Var& fake, double real_target) {
  require_target("lsgan_d", real_target);
  return ops::add(half_square(real, real_target), half_square(fake, 0));
}

Var lsgan_g(const Var& fake) {
  return half_square(fake, 1);
}

Var wasserstein_d(const Var& real, const Var& fake) {
  return ops::sub(ops::mean(in_acc(fake)), ops::mean(in_acc(real)));
}

Var wasserstein_g(const Var& fake) {
  return ops::scale(ops::mean(in_acc(fake)), -1);
}

}  // namespace imago::loss
