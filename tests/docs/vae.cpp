// The snippets of docs/vae.md.
#include <doctest/doctest.h>
#include <imago/imago.h>

#include <cmath>

using namespace imago;

TEST_CASE("vae: one step by hand") {
  manual_seed(1);
  models::Vae vae(
      {.image = 16, .base = 4, .latent = 8, .likelihood = models::Likelihood::gaussian});
  const Var x = rand({2, 16, 16, 3});  // (N, S, S, 3), in [-1, 1]

  const models::Posterior q = vae.encode(x);  // N(mu, sigma^2) of each image: (N, 8)
  const Var z = loss::reparameterise(q.mu, q.log_variance, randn({2, 8}));
  const Var log_likelihood = vae.log_likelihood(x, vae.decode(z));  // log p(x|z): (N)
  const Var kl = loss::gaussian_kl(q.mu, q.log_variance);           // of each latent: (N, 8)

  const Var elbo = ops::sub(ops::mean(log_likelihood), loss::kl_per_image(kl));
  ops::neg(elbo).backward();  // both the encoder and the decoder maximise it
  for (const Var& p : vae.parameters()) CHECK(p.grad().defined());
}

TEST_CASE("vae: sums and means are another beta") {
  const Var x = Var(Tensor::full({1, 64, 64, 3}, 0.5)), mean = Var(Tensor::zeros({1, 64, 64, 3}));
  const Var log_sigma = Var(Tensor::scalar(0.0));
  const double d = 64 * 64 * 3;
  const double reconstruction = -loss::gaussian_log_likelihood(x, mean, log_sigma).item();
  const double constant = d * std::log(2 * M_PI) / 2;  // no gradient comes from it

  // At sigma = 1 the reconstruction is half the squared error, summed over 12,288 values ...
  CHECK(std::abs(reconstruction - constant - d * 0.25 / 2) < 1e-2);
  // ... and the "reconstruction" of many programs is the mean of the same squares, not halved.
  CHECK(std::abs(loss::mse(x, mean).item() - 0.25) < 1e-6);
}

TEST_CASE("vae: train, look, diagnose") {
  manual_seed(1);
  models::Vae fresh({.image = 16, .base = 4, .latent = 16});
  models::VaeTrainer trainer(std::move(fresh), {.lr = 1e-3, .kl_warmup = 100, .free_bits = 0.05});
  const Tensor images = rand({8, 16, 16, 3}).tensor();
  for (int i = 0; i < 3; ++i) {
    const models::VaeStep s = trainer.step(images);  // nats per image
    CHECK(std::isfinite(s.reconstruction.item() + s.kl.item()));
  }
  CHECK(trainer.kl_weight_at(50) == 0.5);

  const models::VaeEvaluation e = models::evaluate_vae(trainer.vae(), images, {.samples = 16});
  CHECK(e.elbo == -(e.reconstruction + e.kl));
  CHECK(e.iwae >= e.sampled_elbo);             // Burda et al. 2016
  CHECK(models::posterior_collapse(e) == "");  // or a sentence: what is wrong, and what helps
}

TEST_CASE("vae: a VAE-GAN") {
  manual_seed(1);
  models::Vae fresh({.image = 16, .base = 4, .latent = 8});
  models::VaeGanTrainer trainer(std::move(fresh), {.weight = 100}, {.lr = 3e-4, .beta1 = 0.5});
  const Tensor images = rand({8, 16, 16, 3}).tensor();
  const models::VaeStep s = trainer.step(images);
  const double features = s.reconstruction.item();  // -log p(Dis_l(x)|z), nats per image
  const double loss_gan = s.adversary.loss_gan.item();
  CHECK(std::abs(s.loss.item() - (features + s.kl.item() + 100 * loss_gan)) <
        1e-5 * std::abs(s.loss.item()));
  // Which part of its loss moves what the decoder paints?
  CHECK(s.adversary.pull_features.item() > 0);
  CHECK(s.adversary.pull_gan.item() > 0);
}
