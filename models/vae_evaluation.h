// How good a VAE is on images, and whether it uses its latents. Everything in nats per image
// (nn/vae_loss.h), without gradients.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/vae.h"

namespace imago::models {

struct VaeEvaluationOptions {
  int samples = 64;  // K: of z for each image
  std::int64_t chunk =
      32;                  // images at a time, for each of the K samples in turn: bounds the memory
  std::uint64_t seed = 1;  // of the samples; they do not depend on chunk
  double active_variance = 0.01;  // a latent is active above this
};

struct VaeEvaluation {
  double elbo = 0;            // -(reconstruction + kl)
  double reconstruction = 0;  // -log p(x|z), the mean over the K samples
  double kl = 0;              // in closed form
  // The same bound with the KL of the samples, which iwae is never below; and the bound of Burda et
  // al. 2016 (arXiv 1509.00519) on K samples, nearer to log p(x).
  double sampled_elbo = 0;
  double iwae = 0;
  // Of each latent: its KL, and the variance over the images of the posterior's mean. A latent that
  // says the same about every image has variance 0 (Burda et al. 2016, section 5.3, "active
  // units").
  std::vector<double> kl_per_latent, variance;
  int active_units = 0;

  // The latents by falling variance.
  std::vector<int> by_activity() const;
};

// images (N, S, S, 3) in [-1, 1], N >= 2 for the variances to mean anything. A pure function of its
// arguments; the generator of the Context is left alone.
VaeEvaluation evaluate_vae(Vae& vae, const Tensor& images,
                           const VaeEvaluationOptions& options = {});

// The diagnosis of posterior collapse, one sentence that says what is wrong, why and what helps; ""
// where there is none. Collapsed: the KL is below 0.5 nats per image, or fewer than a tenth of the
// latents are active. Ask only once the KL's weight is warm.
std::string posterior_collapse(const VaeEvaluation& evaluation);

}  // namespace imago::models
