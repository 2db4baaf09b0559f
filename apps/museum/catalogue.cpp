#include "apps/museum/exhibits.h"

namespace imago::museum {

void show_gan_loop();
void show_gan_setup();
void show_vae_shapes();
void show_elbo();
void show_convolution_formula();
void show_checkerboard();
void show_assertions();
void show_optimum();
void show_mixture();
void show_pca();

const std::vector<Exhibit>& exhibits() {
  static const std::vector<Exhibit> all = {
      {"gan-loop", "a GAN's training loop in which real images count for nothing", show_gan_loop},
      {"gan-setup", "labels of another shape, images in [0, 1], weights of any size",
       show_gan_setup},
      {"vae", "an autoencoder of 68.8 million parameters called a VAE", show_vae_shapes},
      {"elbo", "an objective that q minimises", show_elbo},
      {"convolution", "a formula of convolution without the output position",
       show_convolution_formula},
      {"checkerboard", "a transposed convolution whose kernel its stride does not divide",
       show_checkerboard},
      {"assertions", "shape assertions that hold for images of another size", show_assertions},
      {"optimum", "\"both losses reach their minimum\"", show_optimum},
      {"mixture", "a generator whose output is a mix of noise and real data", show_mixture},
      {"pca", "PCA and LBP called deep learning", show_pca},
  };
  return all;
}

}  // namespace imago::museum
