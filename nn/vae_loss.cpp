#include "nn/vae_loss.h"

#include <cmath>

#include "autograd/ops/add.h"
#include "autograd/ops/add_scalar.h"
#include "autograd/ops/cast.h"
#include "autograd/ops/clamp.h"
#include "autograd/ops/exp.h"
#include "autograd/ops/logsumexp.h"
#include "autograd/ops/mul.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/softplus.h"
#include "autograd/ops/square.h"
#include "autograd/ops/sub.h"
#include "autograd/ops/sum_to.h"

namespace imago::loss {
namespace {

// log sqrt(2 pi), what a normal density has in front of its exponent.
constexpr double log_root_two_pi = 0.91893853320467274178;

void require_same_shape(const char* op, const Var& a, const Var& b) {
  check(a.shape() == b.shape(), op, "takes arguments of one shape, not ", a.shape(), " and ",
        b.shape());
}

Var in_acc(const Var& x) {
  return ops::cast(x, acc_dtype(x.dtype()));
}

// (N, ...) -> (N).
Var sum_per_image(const char* op, const Var& x) {
  check(x.dim() >= 1, op, "needs a batch (N, ...), but the argument is a scalar");
  return ops::sum(ops::reshape(x, {x.size(0), -1}), {1});
}

// Elements of one of the batch.
double values_per_image(const Var& x) {
  return static_cast<double>(x.numel()) / static_cast<double>(x.size(0));
}

}  // namespace

Var reparameterise(const Var& mu, const Var& log_variance, const Var& noise) {
  require_same_shape("reparameterise", mu, log_variance);
  require_same_shape("reparameterise", mu, noise);
  return ops::add(mu, ops::mul(ops::exp(ops::scale(log_variance, 0.5)), noise));
}

Var gaussian_kl(const Var& mu, const Var& log_variance) {
  require_same_shape("gaussian_kl", mu, log_variance);
  check(mu.dim() == 2, "gaussian_kl", "expects (N, Z), not ", mu.shape());
  const Var m = in_acc(mu), v = in_acc(log_variance);
  const Var spread = ops::add_scalar(ops::sub(ops::exp(v), v), -1);
  return ops::scale(ops::add(ops::square(m), spread), 0.5);
}

Var kl_per_image(const Var& kl, double free_bits) {
  check(kl.dim() == 2, "kl_per_image", "expects the KL of each latent of each image (N, Z), not ",
        kl.shape());
  check(free_bits >= 0, "kl_per_image", "free_bits are nats, 0 or more, not ", free_bits);
  const Var per_latent = ops::mean(in_acc(kl), {0});
  return ops::sum(free_bits > 0 ? ops::clamp(per_latent, {.low = free_bits}) : per_latent);
}

Var gaussian_log_likelihood(const Var& x, const Var& mean, const Var& log_sigma) {
  require_same_shape("gaussian_log_likelihood", x, mean);
  check(log_sigma.numel() == 1, "gaussian_log_likelihood",
        "takes one log sigma for all pixels, not ", log_sigma.shape());
  const double d = values_per_image(x);
  const Var errors =
      sum_per_image("gaussian_log_likelihood", ops::square(ops::sub(in_acc(x), in_acc(mean))));
  const Var s = ops::reshape(in_acc(log_sigma), Shape{});
  const Var exponent = ops::scale(ops::mul(errors, ops::exp(ops::scale(s, -2))), -0.5);
  return ops::sub(exponent, ops::add_scalar(ops::scale(s, d), d * log_root_two_pi));
}

Var bernoulli_log_likelihood(const Var& x, const Var& logits) {
  require_same_shape("bernoulli_log_likelihood", x, logits);
  const Var l = in_acc(logits);
  return sum_per_image("bernoulli_log_likelihood",
                       ops::sub(ops::mul(in_acc(x), l), ops::softplus(l)));
}

Var to_unit_range(const Var& x) {
  return ops::add_scalar(ops::scale(x, 0.5), 0.5);
}

Var standard_normal_log_density(const Var& x) {
  const Var squares = sum_per_image("standard_normal_log_density", ops::square(in_acc(x)));
  return ops::add_scalar(ops::scale(squares, -0.5), -values_per_image(x) * log_root_two_pi);
}

Var iwae_bound(const Var& log_weights) {
  check(log_weights.dim() == 2, "iwae_bound",
        "expects the log weights of K samples for N images (K, N), not ", log_weights.shape());
  const double samples = static_cast<double>(log_weights.size(0));
  return ops::add_scalar(ops::logsumexp(in_acc(log_weights), {0}), -std::log(samples));
}

}  // namespace imago::loss
