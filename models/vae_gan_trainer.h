// One training step of a VAE-GAN: algorithm 1 of Larsen et al. 2016 (arXiv 1512.09300). Three
// networks, each with a loss of its own:
//
//   encoder        -log p(Dis_l(x)|z) + beta KL
//   decoder        -log p(Dis_l(x)|z) + weight (-log D(x~) - log D(x_p))
//   discriminator  -log D(x) - log(1 - D(x~)) - log(1 - D(x_p))
//
//   x    a real image; z = a sample of q(z|x)
//   x~   its reconstruction, decode(z)
//   x_p  drawn: decode(z_p), z_p from the prior
//   p(Dis_l(x)|z) = N(Dis_l(x); Dis_l(x~), sigma^2): the likelihood of D's features takes the place
//        of that of the pixels, with the VAE's own sigma (Vae::log_sigma), given or learned. The
//        paper has sigma 1.
//
// Everything in nats per image: sums over the features of an image, as over pixels in
// nn/vae_loss.h, and of the GAN sums of the terms above. The decoder's part of the GAN is the form
// that does not saturate (loss::gan_g), where the paper writes the negative of D's.
//
// Three losses are really three. The GAN looks at decode(z) without the history of z, so nothing of
// it reaches the encoder, and no sigma; the KL knows no decoder; D is frozen in what the VAE
// minimises, or it would learn to see nothing, which is the easiest way to equal features. All
// gradients are of the weights before the step, as in the paper.
//
// Bounds on log p(x) from evaluate_vae are of pixels and say nothing of such a VAE; its KL and its
// active units do.
#pragma once

#include <vector>

#include "models/vae_gan.h"
#include "models/vae_trainer.h"

namespace imago::models {

class VaeGanTrainer final : public VaeTrainer {
 public:
  // D's first weights come from the Context's generator and go to the dtype and device of the VAE.
  // Its optimiser has the same rates as the VAE's. Throws as check_vae_gan_options does.
  VaeGanTrainer(Vae vae, const VaeGanOptions& gan, const VaeTrainerOptions& options);

  VaeGanDiscriminator& discriminator() { return discriminator_; }
  const VaeGanOptions& gan_options() const { return gan_; }

  // Beside what a plain VAE has: the discriminator and its optimiser.
  NamedTensors state() const override;
  Metadata metadata() const override;
  void load(const SafetensorsFile& file) override;

 protected:
  // The first N rows are of the posteriors, the others the z_p.
  std::int64_t noises_per_image() const override { return 2; }
  Var decoder_loss(const Tensor& images, const Var& z, const Tensor& noise, VaeStep& step) override;
  void end_step(VaeStep& step) override;

 private:
  Var learn_to_tell(const Tensor& images, const Var& fakes, VaeAdversary& adversary);
  void watch_pull(const Var& images, double share, Var& pull);

  VaeGanOptions gan_;
  VaeGanDiscriminator discriminator_;
  optim::Adam opt_d_;
  std::vector<HookHandle> watching_;  // of the step that runs
  Var pull_features_, pull_gan_;
};

}  // namespace imago::models
