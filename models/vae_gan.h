// The discriminator of a VAE-GAN (Larsen et al. 2016, arXiv 1512.09300, "Autoencoding beyond pixels
// using a learned similarity metric"): a VAE (models/vae.h) whose reconstructions are held against
// their images not pixel by pixel but by what a discriminator, which learns to tell real images
// from decoded ones, sees in both.
//
//   features   [Conv k4 s2 p1, group norm (not the first), LeakyReLU 0.2] x l: S x S x 3 ->
//              S / 2^l x S / 2^l x base 2^(l - 1), the Dis_l of the paper
//   head       the same on to 4 x 4, then Conv k4 to one score
//
// Where the paper has batch norm there is group norm of one group, each image by itself over all
// its features: what D sees in an image must not depend on which others share its batch, or the
// likelihood of its features would, and a shift that all reconstructions have in common would be
// normalised away. It also keeps features at one scale while D learns, so that their sigma means
// the same from step to step.
#pragma once

#include "models/vae.h"
#include "nn/sequential.h"

namespace imago::models {

struct VaeGanOptions {
  // Of the GAN's loss beside that of the features in what the decoder minimises, above 0. It is
  // 1 / gamma of the paper, whose decoder minimises gamma features + GAN: the same direction, and
  // Adam does not notice the length. Features are a sum over thousands of values, in nats per
  // image, and the GAN's loss is one or two nats, so weights of a like pull are far above 1;
  // VaeAdversary (models/vae_trainer.h) has both pulls.
  double weight = 1;
  // l, from 1 next to the pixels to log2(S / 4), the last before the score; 0: the last.
  int feature_layer = 0;
};

// Throws for options out of range, and for Bernoulli pixels: features are no numbers from 0 to 1,
// so their likelihood is Gaussian, with a sigma that is given or learned.
void check_vae_gan_options(const VaeOptions& vae, const VaeGanOptions& options);
// l of the options, 1 or more; checks them.
int feature_layer_of(const VaeOptions& vae, const VaeGanOptions& options);

class VaeGanDiscriminator final : public nn::Module {
 public:
  // For the images of this VAE, as wide as its encoder. Fresh weights from the Context's generator,
  // as VaeOptions' model has them: He's for LeakyReLU, biases 0.
  VaeGanDiscriminator(const VaeOptions& vae, const VaeGanOptions& options);

  // Dis_l of images (N, S, S, 3) in [-1, 1]: (N, S / 2^l, S / 2^l, base 2^(l - 1)).
  Var features(const Var& images);
  // What it says of images with these features: logits (N, 1).
  Var logits(const Var& features);
  // Images -> logits.
  Var forward(const Var& images) override;

  int feature_layer() const { return feature_layer_; }

 private:
  void require_images(const Var& images) const;

  int image_, feature_layer_;
  std::shared_ptr<nn::Sequential> features_, head_;
};

}  // namespace imago::models
