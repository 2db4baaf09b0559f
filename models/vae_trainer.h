// One training step of a VAE, and everything that has to be saved to go on as if never interrupted.
#pragma once

#include <cstdint>

#include "models/vae.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

namespace imago::models {

struct VaeTrainerOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  // The weight of the KL once it is warm. 1 is the ELBO; more, and latents become independent at
  // the cost of the reconstruction (Higgins et al. 2017).
  double kl_weight = 1;
  // Step t uses kl_weight min(1, t / kl_warmup), so that the decoder learns to use the latents
  // before they are paid for (Bowman et al. 2016, arXiv 1511.06349); 0: the whole weight from step
  // 1.
  std::int64_t kl_warmup = 0;
  // Nats of each latent that are not minimised (loss::kl_per_image); 0: none.
  double free_bits = 0;
  std::uint64_t seed = 1;
};

// What a step of a VAE-GAN has besides (models/vae_gan_trainer.h), undefined in any other.
struct VaeAdversary {
  // Of D, sums of the terms of the three kinds of images, nats per image, scalars ().
  Var loss_d, loss_gan;
  // D's scores (N, 1), before its update: of images, of their reconstructions, of what was drawn.
  Var logits_real, logits_reconstructed, logits_drawn;
  // How hard the two parts of the decoder's loss pull at what it paints, scalars ().
  Var pull_features, pull_gan;
};

// What happened in a step, still on the device: item() waits for it. Scalars (), nats per image.
struct VaeStep {
  // reconstruction + weight * KL with free bits, and in a VAE-GAN weight * loss_gan: what is
  // minimised.
  Var loss;
  // -log p(x|z) with one sample of z for each image; in a VAE-GAN of D's features of x.
  Var reconstruction;
  Var kl;  // of the posterior from N(0, 1), without weight and free bits
  VaeAdversary adversary;
};

class VaeTrainer {
 public:
  VaeTrainer(Vae vae, const VaeTrainerOptions& options);
  virtual ~VaeTrainer() = default;
  // Stays where it was made: a move would leave a VaeGanTrainer without its discriminator.
  VaeTrainer(const VaeTrainer&) = delete;
  VaeTrainer& operator=(const VaeTrainer&) = delete;

  // Step `steps_done() + 1` on images (N, S, S, 3) in [-1, 1], of the dtype of the model.
  VaeStep step(const Tensor& images);
  // The same with noise (N, latent), or more rows where noises_per_image() says so, of the caller's
  // instead of draw 0 of the step.
  VaeStep step(const Tensor& images, const Tensor& noise);

  // The weight of the KL in step t = 1, 2, ...
  double kl_weight_at(std::int64_t t) const;
  bool warm() const { return steps_done_ >= options_.kl_warmup; }

  std::int64_t steps_done() const { return steps_done_; }
  Vae& vae() { return vae_; }
  const VaeTrainerOptions& options() const { return options_; }

  // Weights, optimiser state and position: equal states are equal bytes in a file. Random numbers
  // and batches are functions of (seed, step), so they need no more.
  virtual NamedTensors state() const;
  virtual Metadata metadata() const;
  // Takes over a state saved by state() of the same model; strict.
  virtual void load(const SafetensorsFile& file);

 protected:
  // Rows of noise that a step takes for each image; the first N are of the posteriors.
  virtual std::int64_t noises_per_image() const { return 1; }
  // What a step minimises besides the KL for images (N, S, S, 3), whose z (N, latent) came from the
  // first rows of `noise`: scalar (). Fills in all of the step but loss and kl.
  virtual Var decoder_loss(const Tensor& images, const Var& z, const Tensor& noise, VaeStep& step);
  // After the update of the VAE.
  virtual void end_step(VaeStep&) {}

 private:
  // Random numbers and the KL's weight of the step to come.
  void begin_step();
  VaeStep run_step(const Tensor& images, const Tensor& noise);

  Vae vae_;
  VaeTrainerOptions options_;
  optim::Adam opt_;
  Tensor kl_weight_;  // (), in device memory: it changes from step to step
  std::int64_t steps_done_ = 0;
};

// What a checkpoint written from VaeTrainer::state() holds; throws, saying what it is instead, when
// it is something else.
VaeOptions vae_options_of(const SafetensorsFile& file);
bool is_vae_checkpoint(const SafetensorsFile& file);
// The trained model in it, without the discriminator of a VAE-GAN.
Vae load_vae(const SafetensorsFile& file);

}  // namespace imago::models
