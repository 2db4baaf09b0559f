// What a VAE looks like from inside, as pictures u8 on the CPU, ready for data::image_grid.
#pragma once

#include "models/latent_paths.h"
#include "models/vae.h"

namespace imago::apps {

struct Sheet {
  Tensor images;  // u8 (rows * columns, S, S, 3)
  int rows = 0, columns = 0;
};

// Samples: one for each row of z (rows * columns, latent).
Sheet sample_sheet(models::Vae& vae, const Tensor& z, int rows, int columns);
// images (N, S, S, 3) in [-1, 1] and right of each its reconstruction, 4 pairs in a row, up to 8
// rows.
Sheet reconstruction_sheet(models::Vae& vae, const Tensor& images);
// Each row leads from image 2 r, over 8 decoded steps between the means of both posteriors, to
// image 2 r + 1; up to 6 rows.
Sheet interpolation_sheet(models::Vae& vae, const Tensor& images, models::LatentPath path);
// Each row shows one of `latents`, from -3 to 3 in 9 steps, the others as the first image has them.
Sheet traversal_sheet(models::Vae& vae, const Tensor& images, const std::vector<int>& latents);

}  // namespace imago::apps
