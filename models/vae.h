// A convolutional variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114; with beta,
// Higgins et al. 2017, "beta-VAE"): what seed 003's VAE was meant to be, for images of 16, 32, 64
// or 128 pixels.
//
//   encoder   [Conv k4 s2 p1, LeakyReLU 0.2] x log2(S / 4): S x S x 3 -> 4 x 4 x W, channels `base`
//             at half the image size, doubling at each halving; flattened
//   mu, log_variance   one Linear each, 16 W -> latent
//   decoder   Linear latent -> 16 W, LeakyReLU, then transposed convolutions k4 s2 p1 that mirror
//             the encoder; the last one gives the three channels
//
// There is no batch norm: with it the bound of an image would depend on which others share its
// batch. Kernel and stride are 4 and 2, so that every pixel gets equally many taps (no
// checkerboard).
//
// Units: sums over pixels and latents of an image, in nats (nn/vae_loss.h says why).
#pragma once

#include <string>
#include <vector>

#include "nn/linear.h"
#include "nn/sequential.h"

namespace imago::models {

// What a decoder's output says about pixels.
enum class Likelihood {
  gaussian,          // N(output, sigma^2), sigma given and fixed; images in [-1, 1]
  gaussian_learned,  // the same with one sigma for all pixels that is trained like a weight
  bernoulli          // Bernoulli(sigmoid(output)); images are converted to [0, 1] by (x + 1) / 2
};

const char* name_of(Likelihood likelihood);  // "gaussian", "gaussian-learned", "bernoulli"
const std::vector<std::string>& likelihood_names();
// Throws for a name that is none of these.
Likelihood likelihood_named(const std::string& name);

struct VaeOptions {
  int image = 64;    // height and width: 16, 32, 64 or 128
  int base = 32;     // channels at half the image size
  int latent = 128;  // length of z
  Likelihood likelihood = Likelihood::gaussian_learned;
  // Of the Gaussian pixels, in units of images in [-1, 1]; where a learned one starts.
  double sigma = 0.3;

  bool operator==(const VaeOptions&) const = default;
};

// Throws for sizes that the model does not have.
void check_vae_options(const VaeOptions& options);

// q(z|x) = N(mu, diag exp(log_variance)) of each image.
struct Posterior {
  Var mu, log_variance;  // (N, latent)
};

class Vae final : public nn::Module {
 public:
  // Fresh weights from the Context's generator: normals that keep the scale of a signal on its way
  // (He et al. 2015, arXiv 1502.01852), small ones for log_variance, so that sigma starts near 1;
  // biases 0.
  explicit Vae(const VaeOptions& options);

  // Images (N, S, S, 3) in [-1, 1], whatever the likelihood.
  Posterior encode(const Var& images);
  // z (N, latent) -> (N, S, S, 3): the means of Gaussian pixels, in [-1, 1] by a tanh, or the
  // logits of Bernoulli ones.
  Var decode(const Var& z);
  // log p(x|z) of images (N, S, S, 3) in [-1, 1] and what decode gave for z: (N), nats.
  Var log_likelihood(const Var& images, const Var& decoded) const;
  // The expected images of what decode gave, in [-1, 1].
  Var expected(const Var& decoded) const;

  // The expected images of z (N, latent), in evaluation mode and without gradients; for z of
  // standard normals, samples of the model (without the pixels' own noise).
  Tensor generate(const Tensor& z);
  // The reconstruction from the posterior's mean: images (N, S, S, 3) -> the same, in [-1, 1].
  Var forward(const Var& images) override;

  const VaeOptions& options() const { return options_; }
  // log sigma, a scalar (), called pixels.log_sigma: a parameter where it is learned, else a
  // buffer; undefined for Bernoulli.
  const Var& log_sigma() const { return log_sigma_; }

 private:
  void init_weights();

  VaeOptions options_;
  std::shared_ptr<nn::Sequential> encoder_, decoder_;
  std::shared_ptr<nn::Linear> mu_, log_variance_;
  Var log_sigma_;
};

}  // namespace imago::models
