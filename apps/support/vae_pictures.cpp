#include "apps/support/vae_pictures.h"

#include <algorithm>

#include "kernels/image/image.h"

namespace imago::apps {
namespace {

constexpr int pairs_in_row = 4, most_rows = 8;
constexpr int path_rows = 6, path_steps = 8;
constexpr int traversal_steps = 9;
constexpr double traversal_end = 3;  // standard deviations of the prior

// images in [-1, 1], of any device.
Tensor to_bytes(const Tensor& images) {
  return kernels::denormalize_u8(images).to(Device::cpu());
}

// A sheet with nothing on it yet, for images of the model's size.
Sheet empty_sheet(const models::Vae& vae, int rows, int columns) {
  const int size = vae.options().image;
  return {Tensor::empty({std::int64_t{rows} * columns, size, size, 3}, DType::u8, Device::cpu()),
          rows, columns};
}

void put(Sheet& sheet, std::int64_t cell, const Tensor& bytes) {
  sheet.images.slice(cell, cell + bytes.size(0)).copy_from(bytes);
}

// The means of the posteriors of images (N, S, S, 3): (N, latent).
Tensor means_of(models::Vae& vae, const Tensor& images) {
  const NoGrad no_grad;
  const nn::Evaluating mode(vae);
  return vae.encode(images).mu.tensor();
}

Tensor row_of(const Tensor& x, std::int64_t i) {
  return x.slice(i, i + 1).reshape({-1});
}

}  // namespace

Sheet sample_sheet(models::Vae& vae, const Tensor& z, int rows, int columns) {
  return {to_bytes(vae.generate(z)), rows, columns};
}

Sheet reconstruction_sheet(models::Vae& vae, const Tensor& images) {
  const auto rows =
      static_cast<int>(std::min<std::int64_t>(images.size(0) / pairs_in_row, most_rows));
  const std::int64_t count = std::int64_t{rows} * pairs_in_row;
  Sheet sheet = empty_sheet(vae, rows, 2 * pairs_in_row);
  const Tensor shown = images.slice(0, count);
  const Tensor before = to_bytes(shown), after = to_bytes(vae.generate(means_of(vae, shown)));
  for (std::int64_t i = 0; i < count; ++i) {
    put(sheet, 2 * i, before.slice(i, i + 1));
    put(sheet, 2 * i + 1, after.slice(i, i + 1));
  }
  return sheet;
}

Sheet interpolation_sheet(models::Vae& vae, const Tensor& images, models::LatentPath path) {
  const auto rows = static_cast<int>(std::min<std::int64_t>(images.size(0) / 2, path_rows));
  Sheet sheet = empty_sheet(vae, rows, path_steps + 2);
  const Tensor ends = images.slice(0, 2 * std::int64_t{rows});
  const Tensor bytes = to_bytes(ends), means = means_of(vae, ends);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t cell = r * sheet.columns;
    const Tensor way =
        models::interpolate(row_of(means, 2 * r), row_of(means, 2 * r + 1), path_steps, path);
    put(sheet, cell, bytes.slice(2 * r, 2 * r + 1));
    put(sheet, cell + 1, to_bytes(vae.generate(way)));
    put(sheet, cell + 1 + path_steps, bytes.slice(2 * r + 1, 2 * r + 2));
  }
  return sheet;
}

Sheet traversal_sheet(models::Vae& vae, const Tensor& images, const std::vector<int>& latents) {
  Sheet sheet = empty_sheet(vae, static_cast<int>(latents.size()), traversal_steps);
  const Tensor z = row_of(means_of(vae, images.slice(0, 1)), 0);
  for (std::size_t r = 0; r < latents.size(); ++r) {
    const Tensor way =
        models::traverse(z, latents[r], -traversal_end, traversal_end, traversal_steps);
    put(sheet, static_cast<std::int64_t>(r) * traversal_steps, to_bytes(vae.generate(way)));
  }
  return sheet;
}

}  // namespace imago::apps
