// Bounds, active units and the diagnosis of posterior collapse.
#include "models/vae_evaluation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/random.h"
#include "kernels/random/random.h"
#include "nn/vae_loss.h"
#include "tests/kernels/random.h"

using namespace imago;
using namespace imago::models;
using namespace imago::test;

namespace {

Vae small_vae(DType dtype, Likelihood likelihood = Likelihood::gaussian) {
  manual_seed(8);
  Vae vae({.image = 16, .base = 2, .latent = 4, .likelihood = likelihood, .sigma = 0.8});
  vae.to(dtype);
  return vae;
}

Tensor images(std::int64_t n, DType dtype) {
  return kernels::uniform({n, 16, 16, 3}, dtype, {5, 0, 0});
}

VaeEvaluation with_latents(double kl, int active, int latents) {
  VaeEvaluation e;
  e.kl = kl;
  e.active_units = active;
  e.variance.assign(static_cast<std::size_t>(latents), 0.5);
  return e;
}

}  // namespace

TEST_CASE("the bound of one sample is the ELBO estimated by that sample, term by term") {
  for (const Likelihood likelihood : {Likelihood::gaussian, Likelihood::bernoulli}) {
    INFO(name_of(likelihood));
    Vae vae = small_vae(DType::f64, likelihood);
    const Tensor x = images(3, DType::f64);
    const VaeEvaluation e = evaluate_vae(vae, x, {.samples = 1, .seed = 6});
    CHECK(std::abs(e.iwae - e.sampled_elbo) <= 1e-10 * std::abs(e.iwae));
    CHECK(e.elbo == -(e.reconstruction + e.kl));

    // By hand, with densities in z and not in the noise.
    const NoGrad no_grad;
    const Posterior q = vae.encode(x);
    const Tensor noise = kernels::normal({3, 4}, DType::f64, {6, 0xfffffffeu, 0});
    const Var z = loss::reparameterise(q.mu, q.log_variance, noise);
    const Tensor likelihoods = to_f64(vae.log_likelihood(x, vae.decode(z)).tensor());
    const Tensor hz = to_f64(z.tensor()), mu = to_f64(q.mu.tensor());
    const Tensor log_variance = to_f64(q.log_variance.tensor());
    double bound = 0, reconstruction = 0, kl = 0;
    for (std::int64_t n = 0; n < 3; ++n) {
      bound += likelihoods.data<double>()[n] / 3;
      reconstruction -= likelihoods.data<double>()[n] / 3;
      for (std::int64_t i = 4 * n; i < 4 * (n + 1); ++i) {
        const double at = hz.data<double>()[i], m = mu.data<double>()[i];
        const double v = log_variance.data<double>()[i];
        const double log_p = -at * at / 2;
        const double log_q = -(at - m) * (at - m) / (2 * std::exp(v)) - v / 2;
        bound += (log_p - log_q) / 3;
        kl += 0.5 * (m * m + std::exp(v) - v - 1) / 3;
      }
    }
    CHECK(std::abs(e.sampled_elbo - bound) <= 1e-9 * std::abs(bound));
    CHECK(std::abs(e.reconstruction - reconstruction) <= 1e-9 * std::abs(reconstruction));
    CHECK(std::abs(e.kl - kl) <= 1e-9 * kl);
  }
}

TEST_CASE("IWAE is above the ELBO of the same samples, and chunks change neither") {
  Vae vae = small_vae(DType::f64);
  const Tensor x = images(5, DType::f64);
  const VaeEvaluation e = evaluate_vae(vae, x, {.samples = 8, .chunk = 5});
  CHECK(e.iwae > e.sampled_elbo);
  for (const std::int64_t chunk : {1, 2}) {
    CAPTURE(chunk);
    const VaeEvaluation c = evaluate_vae(vae, x, {.samples = 8, .chunk = chunk});
    CHECK(std::abs(c.iwae - e.iwae) <= 1e-10 * std::abs(e.iwae));
    CHECK(std::abs(c.elbo - e.elbo) <= 1e-10 * std::abs(e.elbo));
    CHECK(c.active_units == e.active_units);
    for (std::size_t j = 0; j < 4; ++j) {
      CHECK(std::abs(c.variance[j] - e.variance[j]) <= 1e-10);
      CHECK(std::abs(c.kl_per_latent[j] - e.kl_per_latent[j]) <= 1e-10);
    }
  }
  const VaeEvaluation other = evaluate_vae(vae, x, {.samples = 8, .seed = 2});
  CHECK(other.sampled_elbo != e.sampled_elbo);
  CHECK(other.kl == e.kl);  // no sample is in it
  CHECK_THROWS_AS(evaluate_vae(vae, x, {.samples = 0}), Error);
}

TEST_CASE("active units: the variance of the posterior's mean, latent by latent") {
  Vae vae = small_vae(DType::f32);
  const Tensor x = images(6, DType::f32);
  const NoGrad no_grad;
  // Latent 2 says the same about every image: it has no weights, only a bias.
  Tensor weight = vae.state_dict().at("mu.weight");  // (4, 64)
  weight.slice(2, 3).set_zero();
  const Tensor mu = to_f64(vae.encode(x).mu.tensor());
  const VaeEvaluation e = evaluate_vae(vae, x, {.samples = 1});
  int active = 0;
  for (std::int64_t j = 0; j < 4; ++j) {
    double mean = 0, variance = 0;
    for (std::int64_t n = 0; n < 6; ++n) mean += mu.data<double>()[4 * n + j] / 6;
    for (std::int64_t n = 0; n < 6; ++n) {
      variance += std::pow(mu.data<double>()[4 * n + j] - mean, 2) / 6;
    }
    CHECK(std::abs(e.variance[static_cast<std::size_t>(j)] - variance) < 1e-9);
    active += variance > 0.01 ? 1 : 0;
  }
  CHECK(e.variance[2] == 0);
  CHECK(e.by_activity().back() == 2);
  CHECK(e.by_activity().size() == 4);
  CHECK(e.active_units == active);
  CHECK(evaluate_vae(vae, x, {.samples = 1, .active_variance = -1}).active_units == 4);
}

TEST_CASE("posterior collapse is diagnosed by name, and health is not") {
  Vae vae = small_vae(DType::f32);
  const NoGrad no_grad;
  for (const char* name : {"mu.weight", "mu.bias", "log_variance.weight", "log_variance.bias"}) {
    Tensor t = vae.state_dict().at(name);
    t.set_zero();
  }
  const VaeEvaluation e = evaluate_vae(vae, images(4, DType::f32), {.samples = 1});
  CHECK(e.kl == 0);
  CHECK(e.active_units == 0);
  const auto contains = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(contains(posterior_collapse(e), "posterior collapse: the KL is 0.00 nats"));
  CHECK(contains(posterior_collapse(with_latents(0.4, 20, 20)), "the KL is 0.40"));
  CHECK(contains(posterior_collapse(with_latents(9, 1, 20)), "only 1 of 20 latents"));
  CHECK(posterior_collapse(with_latents(9, 2, 20)).empty());
  CHECK(posterior_collapse(with_latents(9, 20, 20)).empty());
}
