// The terms of a variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114; Rezende et al.
// 2014, arXiv 1401.4082).
//
// Units, once for all of them: every term is a SUM over the pixels or latents of one image, in
// nats, and a loss is the AVERAGE of such sums over the batch. Averaging over pixels or latents as
// well, as loss::mse and loss::bce_with_logits do, is the commonest mistake with these models: it
// divides the reconstruction by H W C and the KL by the number of latents, which is another beta
// (for 64 x 64 x 3 pixels and 128 latents, 96 times the one asked for) and no bound of anything.
//
//     ELBO(x) = E_q(z|x) log p(x|z) - KL(q(z|x) || p(z)) <= log p(x)
//
// with q(z|x) = N(mu, diag sigma^2) from the encoder and p(z) = N(0, 1). Both the encoder and the
// decoder maximise it; what is minimised is -ELBO = reconstruction + KL.
//
// Results are in acc_t of the arguments. Errors: shapes that do not agree.
#pragma once

#include "autograd/var.h"

namespace imago::loss {

// The sample z = mu + sigma noise, sigma = exp(log_variance / 2): it is N(mu, sigma^2) for noise of
// standard normals, and a differentiable function of both (arXiv 1312.6114, section 2.4). All three
// of one shape and dtype, which is that of z.
Var reparameterise(const Var& mu, const Var& log_variance, const Var& noise);

// KL(N(mu, sigma^2) || N(0, 1)) = (mu^2 + sigma^2 - log sigma^2 - 1) / 2 of each latent of each
// image (arXiv 1312.6114, appendix B): mu, log_variance (N, Z) -> (N, Z). None is below 0, but for
// rounding.
Var gaussian_kl(const Var& mu, const Var& log_variance);

// The KL that is minimised, a scalar (): kl (N, Z) averaged over the batch, then summed over the
// latents, of which each counts as free_bits nats at least: sum_j max(free_bits, mean_n kl[n, j])
// (Kingma et al. 2016, arXiv 1606.04934, eq. 15). A latent that costs less than that is not pushed
// towards the prior any more, so that it can come into use. free_bits >= 0; 0 is the plain KL.
Var kl_per_image(const Var& kl, double free_bits = 0);

// log p(x|z), one sum for each image: (N).
//
// Gaussian pixels N(mean, sigma^2), the same sigma for all of them, given as its logarithm, a
// scalar (): -|x - mean|^2 / (2 sigma^2) - D log sigma - D/2 log 2 pi, D = H W C. x and mean
// (N, ...) of one shape. With a log_sigma that is learned, sigma^2 goes to the mean square error
// (Rybkin et al. 2021, arXiv 2006.13202). As a density it may well be above 0.
Var gaussian_log_likelihood(const Var& x, const Var& mean, const Var& log_sigma);

// Bernoulli pixels: x log s(logits) + (1 - x) log(1 - s(logits)), s the sigmoid, in the form that
// never overflows. x and logits (N, ...) of one shape; x in [0, 1], so images in [-1, 1] have to be
// converted first: to_unit_range(x). For values strictly inside (0, 1) it is a score and no
// distribution of x (Loaiza-Ganem & Cunningham 2019, arXiv 1907.06845): compare it with itself
// only.
Var bernoulli_log_likelihood(const Var& x, const Var& logits);

// (x + 1) / 2: images in [-1, 1], as everything here has them, to [0, 1].
Var to_unit_range(const Var& x);

// log N(x; 0, 1), summed over all but the first axis: (N, ...) -> (N).
Var standard_normal_log_density(const Var& x);

// The importance-weighted bound of Burda et al. 2016 (arXiv 1509.00519, eq. 8) for each image, of
// log weights log p(x|z_k) + log p(z_k) - log q(z_k|x), (K, N) -> (N):
//     log 1/K sum_k exp(log_weight[k]).
// With K = 1 it is the ELBO, estimated by one sample; it is at least the mean over k, and comes
// nearer to log p(x) with K.
Var iwae_bound(const Var& log_weights);

}  // namespace imago::loss
