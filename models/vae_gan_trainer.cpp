#include "models/vae_gan_trainer.h"

#include <utility>

#include "autograd/ops/add.h"
#include "autograd/ops/concat.h"
#include "autograd/ops/norm.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/sum_to.h"
#include "models/checkpoint_entries.h"
#include "nn/gan_loss.h"
#include "nn/loss.h"
#include "nn/vae_loss.h"

namespace imago::models {
namespace {

// Runs before anything is made from a VAE that the options do not suit.
Vae suited(Vae vae, const VaeGanOptions& options) {
  check_vae_gan_options(vae.options(), options);
  return vae;
}

VaeGanDiscriminator discriminator_for(const Vae& vae, const VaeGanOptions& options) {
  VaeGanDiscriminator d(vae.options(), options);
  const Var first = vae.parameters().at(0);
  d.to(first.dtype());
  d.to(first.device());
  d.set_name("D");
  return d;
}

}  // namespace

VaeGanTrainer::VaeGanTrainer(Vae vae, const VaeGanOptions& gan, const VaeTrainerOptions& options)
    : VaeTrainer(suited(std::move(vae), gan), options),
      gan_(gan),
      discriminator_(discriminator_for(this->vae(), gan)),
      opt_d_(discriminator_.parameters(),
             {.lr = options.lr, .beta1 = options.beta1, .beta2 = options.beta2}) {}

Var VaeGanTrainer::decoder_loss(const Tensor& images, const Var& z, const Tensor& noise,
                                VaeStep& step) {
  const std::int64_t count = images.size(0);
  VaeAdversary& adversary = step.adversary;
  watching_.clear();  // of a step that threw
  // x~ and x_p as the GAN sees them: z without its history, so that nothing reaches the encoder.
  const Var fakes = vae().decode(ops::concat({z.detach(), Var(noise.slice(count, 2 * count))}));
  const Var features = learn_to_tell(images, fakes.detach(), adversary);

  const nn::Frozen freeze(discriminator_);
  const Var loss_gan = ops::scale(loss::gan_g(discriminator_(fakes)), 2);  // both kinds of fakes
  adversary.loss_gan = loss_gan.detach();
  const Var decoded = vae().decode(z);
  const Var log_likelihood =
      loss::gaussian_log_likelihood(features, discriminator_.features(decoded), vae().log_sigma());
  step.reconstruction = ops::scale(ops::mean(log_likelihood), -1);
  watch_pull(decoded, 1, pull_features_);
  watch_pull(fakes, 0.5, pull_gan_);
  return ops::add(step.reconstruction, ops::scale(loss_gan, gan_.weight));
}

// D's gradients, of images (N, S, S, 3) and of fakes (2 N, S, S, 3) without history: first the
// reconstructions, then what was drawn. Its update waits until the VAE's gradients, which are of
// the same weights, are there too. Returns what D sees in the images, as constants.
Var VaeGanTrainer::learn_to_tell(const Tensor& images, const Var& fakes, VaeAdversary& adversary) {
  const std::int64_t count = images.size(0);
  const Var features = discriminator_.features(images);
  const Var real = discriminator_.logits(features), fake = discriminator_(fakes);
  // The mean over both kinds of fakes, twice: each counts as much as the real images do.
  const Var loss_d =
      ops::add(loss::bce_with_logits(real, 1), ops::scale(loss::bce_with_logits(fake, 0), 2));
  opt_d_.zero_grad();
  loss_d.backward();
  adversary.loss_d = loss_d.detach();
  adversary.logits_real = real.detach();
  adversary.logits_reconstructed = fake.tensor().slice(0, count);
  adversary.logits_drawn = fake.tensor().slice(count, 2 * count);
  return features.detach();
}

// The mean over images of the norm of the gradient of the loss of one of them there. The loss is a
// mean over N; `share` is N over how many images (.., S, S, 3) are given.
void VaeGanTrainer::watch_pull(const Var& images, double share, Var& pull) {
  watching_.push_back(images.register_hook([share, &pull](const Var& gradient) {
    const NoGrad no_grad;
    pull = ops::scale(ops::sum(ops::norm(gradient.detach(), 2, {1, 2, 3})), share);
  }));
}

void VaeGanTrainer::end_step(VaeStep& step) {
  opt_d_.step();
  watching_.clear();
  step.adversary.pull_features = std::exchange(pull_features_, {});
  step.adversary.pull_gan = std::exchange(pull_gan_, {});
}

NamedTensors VaeGanTrainer::state() const {
  NamedTensors all = VaeTrainer::state();
  insert_under(all, "d", discriminator_.state_dict());
  insert_under(all, "opt_d", opt_d_.state_dict());
  return all;
}

Metadata VaeGanTrainer::metadata() const {
  Metadata metadata = VaeTrainer::metadata();
  metadata["adversarial"] = shortest(gan_.weight);
  metadata["feature_layer"] = std::to_string(discriminator_.feature_layer());
  return metadata;
}

void VaeGanTrainer::load(const SafetensorsFile& file) {
  VaeTrainer::load(file);
  discriminator_.load_state_dict(file.group("d"));
  opt_d_.load_state_dict(file.group("opt_d"));
}

}  // namespace imago::models
