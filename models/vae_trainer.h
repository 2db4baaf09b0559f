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

// What happened in a step, still on the device: item() waits for it. Scalars (), nats per image.
struct VaeStep {
  Var loss;            // reconstruction + weight * KL with free bits: what is minimised
  Var reconstruction;  // -log p(x|z) with one sample of z for each image
  Var kl;              // of the posterior from N(0, 1), without weight and free bits
};

class VaeTrainer {
 public:
  VaeTrainer(Vae vae, const VaeTrainerOptions& options);

  // Step `steps_done() + 1` on images (N, S, S, 3) in [-1, 1], of the dtype of the model.
  VaeStep step(const Tensor& images);
  // The same with noise (N, latent) of the caller's instead of draw 0 of the step.
  VaeStep step(const Tensor& images, const Tensor& noise);

  // The weight of the KL in step t = 1, 2, ...
  double kl_weight_at(std::int64_t t) const;
  bool warm() const { return steps_done_ >= options_.kl_warmup; }

  std::int64_t steps_done() const { return steps_done_; }
  Vae& vae() { return vae_; }
  const VaeTrainerOptions& options() const { return options_; }

  // Weights, optimiser state and position: equal states are equal bytes in a file. Random numbers
  // and batches are functions of (seed, step), so they need no more.
  NamedTensors state() const;
  Metadata metadata() const;
  // Takes over a state saved by state() of the same model; strict.
  void load(const SafetensorsFile& file);

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
// The trained model in it.
Vae load_vae(const SafetensorsFile& file);

}  // namespace imago::models
